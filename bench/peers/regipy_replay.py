"""The replay of bench/ours with regipy.

Arguments: RESTORED HIVE LOG1 LOG2, where RESTORED is the file that regipy writes its result to, and reads back between the
logs, or "-" to keep that in memory. One round for each line on the standard input. Only the call is timed (processor
time of the thread), not the interpreter's start.
"""

import builtins
import io
import json
import sys
import time
import zlib

import regipy.recovery

memory = {}


class Kept(io.BytesIO):
    """A file in memory whose content outlives it."""

    def close(self):
        memory["-"] = self.getvalue()
        super().close()


def open_in_memory(path, mode="r"):
    if path != "-":
        return builtins.open(path, mode)
    return Kept() if "w" in mode else io.BytesIO(memory["-"])


regipy.recovery.open = open_in_memory
restored, hive, first, second = sys.argv[1:]
for _ in sys.stdin:
    start = time.thread_time_ns()
    # It applies the "secondary" log before the "primary" one; the older entries are in LOG1.
    _, pages = regipy.recovery.apply_transaction_logs(hive, second, first, restored_hive_path=restored)
    took = time.thread_time_ns() - start
    with open_in_memory(restored, "rb") as file:
        bins = file.read()[4096:]
    result = f"{pages} pages, {len(bins)} bytes of bins, sum {zlib.adler32(bins)}"
    print(json.dumps({"ns": took, "result": result}), flush=True)
