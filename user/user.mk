# What every ring 3 program is linked with.
USER_SOURCES := user/start.asm user/system_call.asm user/program.c user/calls.c user/progress.c user/thread.c user/log.c \
	lib/base/string.c lib/base/format.c

UNIT_TESTS += kernel_interface clock
test_kernel_interface_SOURCES :=
test_clock_SOURCES :=
