DECODER_SOURCES := vmm/decode/decode.c vmm/decode/decode_memory.c vmm/decode/decode_opcode.c vmm/decode/opcodes.c \
	vmm/decode/opcodes_prefixed.c
ARITHMETIC_SOURCES := vmm/decode/alu.c vmm/decode/integer.c vmm/decode/shift.c vmm/decode/wide.c
EXECUTE_SOURCES := vmm/decode/execute.c vmm/decode/strings.c vmm/decode/stack.c vmm/decode/vector.c vmm/decode/segments.c \
	vmm/decode/system.c vmm/decode/operand.c vmm/decode/segment_check.c
DECODE_SOURCES := $(DECODER_SOURCES) $(ARITHMETIC_SOURCES) vmm/decode/emulate.c vmm/decode/walk.c \
	vmm/decode/fetch.c vmm/decode/plain.c vmm/decode/recall.c $(EXECUTE_SOURCES)

UNIT_TESTS += decode
test_decode_SOURCES := $(DECODER_SOURCES)
UNIT_TESTS += emulate
test_emulate_SOURCES := vmm/decode/emulate.c $(ARITHMETIC_SOURCES) $(DECODER_SOURCES)
UNIT_TESTS += walk
test_walk_SOURCES := vmm/decode/walk.c vmm/gmem.c
UNIT_TESTS += fetch
test_fetch_SOURCES := vmm/decode/fetch.c vmm/decode/walk.c $(DECODER_SOURCES) vmm/gmem.c
UNIT_TESTS += recall
test_recall_SOURCES := vmm/decode/recall.c vmm/decode/plain.c $(test_fetch_SOURCES)
UNIT_TESTS += plain
test_plain_SOURCES := vmm/decode/plain.c $(test_emulate_SOURCES)
UNIT_TESTS += execute execute_segments execute_native
test_execute_SOURCES = $(EXECUTE_SOURCES) vmm/event/event_cpu.c vmm/event/linear.c vmm/event/segment.c vmm/decode/walk.c vmm/gmem.c \
	$(test_emulate_SOURCES)
test_execute_segments_SOURCES = $(test_execute_SOURCES)
test_execute_native_SOURCES = tests/decode/native.c tests/decode/forms.c $(test_execute_SOURCES)

FUZZ_TARGETS += decode emulate execute walk
fuzz_execute_SOURCES = $(test_execute_SOURCES)
fuzz_decode_SOURCES := $(DECODER_SOURCES)
fuzz_emulate_SOURCES := vmm/decode/plain.c $(test_emulate_SOURCES)
fuzz_walk_SOURCES := $(test_recall_SOURCES)
