# Firmware images.
UNIT_TESTS += firmware_volume
test_firmware_volume_SOURCES := lib/firmware/volume.c
