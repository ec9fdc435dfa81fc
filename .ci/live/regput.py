"""Prints the hives SYSTEM, SOFTWARE and DEFAULT of a machine's folder as lines for regput.exe, after lines that remove what the machine before it left.
The control set that runs goes to CurrentControlSet, which Wine keeps as a key of its own.

    regput.py FOLDER TOPS     TOPS: a file with the keys that are to go; afterwards with those of this machine
"""
import os
import re
import subprocess
import sys


def lines(folder):
    for hive, shown in (("SYSTEM", "SYSTEM"), ("SOFTWARE", "SOFTWARE"), ("DEFAULT", ".DEFAULT")):
        file = f"{folder}/Windows/System32/config/{hive}"
        if hive == "DEFAULT" and not os.path.exists(file):
            continue
        command = ["hivexregedit", "--export", "--prefix", shown, file, "\\"]
        text = subprocess.run(command, check=True, capture_output=True).stdout.decode("utf-8")
        running = running_set(text) if hive == "SYSTEM" else None
        for line in text.splitlines()[1:]:
            if line.startswith("["):
                path = line[1:-1].rstrip("\\")
                yield "K " + (running.sub(r"SYSTEM\\CurrentControlSet", path) if running else path)
            elif line:
                found = re.match(r'(@|"(?:[^"\\]|\\.)*")=(.*)$', line)
                name = "" if found[1] == "@" else re.sub(r"\\(.)", r"\1", found[1][1:-1])
                kind, digits = data(found[2])
                yield f"V {kind} {digits or '-'} {name}"


def running_set(text):
    current = re.search(r'^\[SYSTEM\\Select\](?:\n"[^\n]*)*\n"Current"=dword:([0-9a-f]+)', text, re.MULTILINE | re.IGNORECASE)
    return re.compile(rf"^SYSTEM\\ControlSet{int(current[1], 16) if current else 1:03}(?=\\|$)", re.IGNORECASE)


def data(text):
    if text.startswith("dword:"):
        return 4, bytes.fromhex(text[6:])[::-1].hex()
    if not text.startswith("hex"):
        raise SystemExit(f"not understood: {text[:200]}")
    kind = 3 if text.startswith("hex:") else int(text[4 : text.index(")")], 16)
    return kind, text.split(":", 1)[1].replace(",", "")


folder, tops = sys.argv[1:]
with open(tops, encoding="utf-8") as before:
    for top in before.read().split("\n"):
        if top:
            print(f"D {top}")
mine = set()
for line in lines(folder):
    parts = line[2:].split("\\")
    if line.startswith("K ") and len(parts) > 1:
        mine.add("\\".join(parts[:2]))
    print(line)
with open(tops, "w", encoding="utf-8") as after:
    after.write("\n".join(sorted(mine)))
