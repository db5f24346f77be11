# What every ring 3 program is linked with.
USER_SOURCES := user/start.asm user/system_call.asm user/program.c user/calls.c user/progress.c user/thread.c user/log.c \
	lib/base/string.c lib/base/format.c
