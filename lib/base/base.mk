UNIT_TESTS += format string
test_format_SOURCES := lib/base/format.c
# What images link, beside libc, under names of its own.
test_string_SOURCES := lib/base/string.c
$(BUILD)/host/lib/base/string.o: HOST_CFLAGS += $(foreach name,memcpy memset memmove memcmp strlen strnlen strcmp strncmp strchr,-D$(name)=image_$(name))
