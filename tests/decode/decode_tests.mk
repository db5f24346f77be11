# The host program that prints what vmm/decode makes of instructions; tests/decode/test_encodings.py compares it with nasm
# and objdump.
HOST_TOOLS += decode_dump
tool_decode_dump_SOURCES = tests/decode/decode_dump.c $(DECODER_SOURCES)
