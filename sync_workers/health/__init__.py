"""How a process says over HTTP whether it lives and is ready, from a thread of its own, however busy it is.

server.py     a small HTTP server
proof.py      signs that a process does its work
__main__.py   asks a process on this machine
"""
