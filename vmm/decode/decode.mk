DECODE_SOURCES := vmm/decode/decode.c vmm/decode/opcodes.c vmm/decode/alu.c vmm/decode/emulate.c vmm/decode/walk.c \
	vmm/decode/fetch.c vmm/decode/plain.c vmm/decode/recall.c

UNIT_TESTS += decode
test_decode_SOURCES := vmm/decode/decode.c vmm/decode/opcodes.c
UNIT_TESTS += emulate
test_emulate_SOURCES := vmm/decode/emulate.c vmm/decode/alu.c vmm/decode/decode.c vmm/decode/opcodes.c
UNIT_TESTS += walk
test_walk_SOURCES := vmm/decode/walk.c vmm/gmem.c
UNIT_TESTS += fetch
test_fetch_SOURCES := vmm/decode/fetch.c vmm/decode/walk.c vmm/decode/decode.c vmm/decode/opcodes.c vmm/gmem.c
UNIT_TESTS += recall
test_recall_SOURCES := vmm/decode/recall.c vmm/decode/plain.c $(test_fetch_SOURCES)
UNIT_TESTS += plain
test_plain_SOURCES := vmm/decode/plain.c $(test_emulate_SOURCES)

FUZZ_TARGETS += decode emulate walk
fuzz_decode_SOURCES := vmm/decode/decode.c vmm/decode/opcodes.c
fuzz_emulate_SOURCES := vmm/decode/plain.c $(test_emulate_SOURCES)
fuzz_walk_SOURCES := $(test_recall_SOURCES)
