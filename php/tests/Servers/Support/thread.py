"""Prints the number of a thread that is not the main one, and waits for the end of its input."""

import sys
import threading

thread = threading.Thread(target=sys.stdin.read)
thread.start()
print(thread.native_id, flush=True)
