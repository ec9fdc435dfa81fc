#!/usr/bin/env python3
"""Reads hives with other people's libraries and writes what it sees in one canonical form; the tests compare that.

One process serves many hives. A request is one line of three fields separated by tabs:

    library  hive file  output file        library: hivex | regipy | dissect
    replay   hive file  output file  log1 log2     regipy applies the logs and writes the recovered hive
    unpack   xz or gz   output file
    has      library    -

The answer is one line: "ok ..." or "error ...". The canonical form has one line for each key and value, in the order of the
hive's own lists, strings and data in hexadecimal (names in UTF-8):

    K depth name            (the name of the root is left out)
    V name type data
"""

import ctypes
import gzip
import lzma
import logging
import os
import shutil
import sys
import tempfile

logging.disable(logging.CRITICAL)


def text(name):
    return name.encode("utf-8", "surrogatepass").hex()


def latin1_or_utf16(raw, compressed):
    return raw.decode("latin-1") if compressed else raw.decode("utf-16-le", "replace")


class Hivex:
    """The C library, through ctypes; no package for Python is needed."""

    def __init__(self):
        self.c = ctypes.CDLL("libhivex.so.0", use_errno=True)
        self.free = ctypes.CDLL(None).free
        self.free.argtypes = [ctypes.c_void_p]
        size, pointer, handle = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p
        for name, result, arguments in (
            ("hivex_open", handle, [ctypes.c_char_p, ctypes.c_int]),
            ("hivex_close", ctypes.c_int, [handle]),
            ("hivex_root", size, [handle]),
            ("hivex_node_children", pointer, [handle, size]),
            ("hivex_node_values", pointer, [handle, size]),
            ("hivex_node_name", pointer, [handle, size]),
            ("hivex_node_name_len", size, [handle, size]),
            ("hivex_value_key", pointer, [handle, size]),
            ("hivex_value_key_len", size, [handle, size]),
            ("hivex_value_value", pointer, [handle, size, pointer, pointer]),
        ):
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments

    def taken(self, pointer, length):
        if not pointer:
            raise ValueError("hivex: " + os.strerror(ctypes.get_errno()))
        data = ctypes.string_at(pointer, length)
        self.free(pointer)
        return data

    def offsets(self, pointer):
        if not pointer:
            raise ValueError("hivex: " + os.strerror(ctypes.get_errno()))
        found = []
        array = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_size_t))
        while array[len(found)]:
            found.append(array[len(found)])
        self.free(pointer)
        return found

    def dump(self, path, out):
        c = self.c
        hive = c.hivex_open(os.fsencode(path), 0)
        if not hive:
            raise ValueError("hivex_open: " + os.strerror(ctypes.get_errno()))
        try:
            kind, length = ctypes.c_int(), ctypes.c_size_t()
            stack = [(0, c.hivex_root(hive))]
            while stack:
                depth, node = stack.pop()
                name = b""
                if depth:
                    name = self.taken(c.hivex_node_name(hive, node), c.hivex_node_name_len(hive, node))
                out.write("K %d %s\n" % (depth, name.hex()))
                for value in self.offsets(c.hivex_node_values(hive, node)):
                    name = self.taken(c.hivex_value_key(hive, value), c.hivex_value_key_len(hive, value))
                    data = c.hivex_value_value(hive, value, ctypes.byref(kind), ctypes.byref(length))
                    data = self.taken(data, length.value)
                    out.write("V %s %d %s\n" % (name.hex(), kind.value & 0xFFFFFFFF, data.hex()))
                for child in reversed(self.offsets(c.hivex_node_children(hive, node))):
                    stack.append((depth + 1, child))
        finally:
            c.hivex_close(hive)


class Dissect:
    def __init__(self):
        from dissect.regf import regf

        # Its own decoder takes Latin-1 names for UTF-8 when they happen to be valid UTF-8.
        regf.decode_name = lambda blob, size, compressed: latin1_or_utf16(blob, compressed)
        self.regf = regf

    def dump(self, path, out):
        with open(path, "rb") as file:
            hive = self.regf.RegistryHive(file)
            stack = [(0, hive.root())]
            while stack:
                depth, key = stack.pop()
                out.write("K %d %s\n" % (depth, text(key.name) if depth else ""))
                for value in key.values():
                    name = text(value.name) if value.cell.NameLength else ""
                    out.write("V %s %d %s\n" % (name, value.cell.Type & 0xFFFFFFFF, bytes(value.data).hex()))
                for subkey in reversed(list(key.subkeys())):
                    stack.append((depth + 1, subkey))


class Regipy:
    def __init__(self):
        from regipy import registry, structs

        self.registry, self.structs = registry, structs

    def values(self, key):
        """Like its iter_values, but the raw data instead of an interpretation."""
        registry = self.registry
        stream = key._stream
        for index in range(key.values_count):
            stream.seek(registry.REGF_HEADER_SIZE + 4 + key.header.values_list_offset + 4 * index)
            offset = int.from_bytes(stream.read(4), "little")
            stream.seek(registry.REGF_HEADER_SIZE + 4 + offset)
            record = self.structs.VALUE_KEY.parse_stream(stream)
            if record.data_size >= 0x80000000:
                data = record.data_offset.to_bytes(4, "little")[: record.data_size - 0x80000000]
            else:
                value = key.read_value(record, stream)
                data = value.value
                if record.data_size > 0x3FD8 and data[:2] == b"db":
                    data = key._parse_indirect_block(stream, value)
            name = latin1_or_utf16(bytes(record.name), record.flags.VALUE_COMP_NAME)
            yield name, int(record.data_type), data

    def dump(self, path, out):
        stack = [(0, self.registry.RegistryHive(path).root)]
        while stack:
            depth, key = stack.pop()
            header = key.header
            name = latin1_or_utf16(bytes(header.key_name_string), header.flags.KEY_COMP_NAME)
            out.write("K %d %s\n" % (depth, text(name) if depth else ""))
            for name, kind, data in self.values(key):
                out.write("V %s %d %s\n" % (text(name), kind & 0xFFFFFFFF, data.hex()))
            for subkey in reversed(list(key.iter_subkeys())):
                stack.append((depth + 1, subkey))

    def replay(self, path, output, logs):
        from regipy.recovery import apply_transaction_logs

        with tempfile.TemporaryDirectory() as folder:
            logs = [log for log in logs if os.path.getsize(log)]
            restored, pages = apply_transaction_logs(
                path,
                logs[0],
                secondary_log_path=logs[1] if len(logs) > 1 else None,
                restored_hive_path=os.path.join(folder, "restored"),
                verbose=False,
            )
            shutil.copyfile(restored, output)
            return pages


LIBRARIES = {"hivex": Hivex, "dissect": Dissect, "regipy": Regipy}
loaded = {}


def library(name):
    if name not in loaded:
        loaded[name] = LIBRARIES[name]()
    return loaded[name]


def answer(request):
    if request[0] == "has":
        library(request[1])
        return ""
    if request[0] == "unpack":
        opener = lzma.open if request[1].endswith(".xz") else gzip.open
        with opener(request[1]) as packed, open(request[2], "wb") as out:
            shutil.copyfileobj(packed, out)
        return ""
    if request[0] == "replay":
        return str(library("regipy").replay(request[1], request[2], request[3:]))
    with open(request[2], "w", encoding="ascii") as out:
        library(request[0]).dump(request[1], out)
    return ""


def main():
    for line in sys.stdin:
        try:
            result = "ok " + answer(line.rstrip("\n").split("\t"))
        except Exception as error:  # whatever a library throws is its verdict on the hive
            result = "error %s: %s" % (type(error).__name__, error)
        print(result.replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
