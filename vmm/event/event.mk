# Events and task switches that the VMM carries out for a CPU.
EVENT_SOURCES := vmm/event/event_cpu.c vmm/event/linear.c vmm/event/segment.c vmm/event/tss.c vmm/event/task_switch.c \
	vmm/event/task_load.c vmm/event/deliver.c vmm/event/deliver_protected.c vmm/event/deliver_long.c \
	vmm/event/return.c

UNIT_TESTS += task_switch event_deliver event_return exit_event
test_event_return_SOURCES := $(EVENT_SOURCES) vmm/decode/walk.c vmm/gmem.c
test_exit_event_SOURCES = vmm/exit_event.c vmm/exit_retry.c $(EVENT_SOURCES) lib/x86/fault_combine.c $(test_fetch_SOURCES)
test_task_switch_SOURCES := $(EVENT_SOURCES) vmm/decode/walk.c vmm/gmem.c
test_event_deliver_SOURCES := $(EVENT_SOURCES) vmm/decode/walk.c vmm/gmem.c

FUZZ_TARGETS += event
fuzz_event_SOURCES := $(EVENT_SOURCES) vmm/decode/walk.c vmm/gmem.c
