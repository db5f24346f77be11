UNIT_TESTS += channel
test_channel_SOURCES := lib/channel/channel.c
