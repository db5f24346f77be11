UNIT_TESTS += format
test_format_SOURCES := lib/base/format.c
