# The scheduler's source on a simulated PC, for tests/simulator/test_simulator.py. Optimised and
# without sanitizers, since its long runs take minutes otherwise; simulator_checked has them.
SIMULATOR_SOURCES := $(sort $(wildcard tests/simulator/*.c)) $(KERNEL_SCHEDULE_SOURCES) kernel/balance.c
HOST_TOOLS += simulator_checked
tool_simulator_checked_SOURCES := $(SIMULATOR_SOURCES)

SIMULATOR_CFLAGS := $(filter-out -Wframe-larger-than=%,$(COMMON)) -D_GNU_SOURCE
$(BUILD)/simulator/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(SIMULATOR_CFLAGS) -c $< -o $@
$(BUILD)/tools/simulator: $(patsubst %.c,$(BUILD)/simulator/%.o,$(SIMULATOR_SOURCES))
	@mkdir -p $(@D)
	$(CC) $(SIMULATOR_CFLAGS) -o $@ $^
HOST_TOOL_PROGRAMS += $(BUILD)/tools/simulator
