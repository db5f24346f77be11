SWITCH_LOGIC_SOURCES := switch/switch.c switch/port.c switch/addresses.c switch/sockets.c lib/channel/channel.c

UNIT_TESTS += switch switch_sockets switch_flood
test_switch_sockets_SOURCES := $(SWITCH_LOGIC_SOURCES) lib/base/format.c tests/fake/switch_pc.c
test_switch_SOURCES := $(SWITCH_LOGIC_SOURCES) lib/base/format.c tests/fake/switch_pc.c
test_switch_flood_SOURCES := $(SWITCH_LOGIC_SOURCES) lib/base/format.c tests/fake/switch_pc.c
FUZZ_TARGETS += switch
fuzz_switch_SOURCES := $(SWITCH_LOGIC_SOURCES) lib/base/format.c tests/fake/switch_pc.c

PROGRAMS += switch
switch_SOURCES = switch/main.c $(SWITCH_LOGIC_SOURCES)
