# Random bytes for guests' entropy devices.
RANDOM_SOURCES := lib/random/random.c lib/random/health.c lib/random/sha256.c

UNIT_TESTS += random
test_random_SOURCES := $(RANDOM_SOURCES)
UNIT_TESTS += random_cpu
test_random_cpu_SOURCES := user/random_cpu.c $(RANDOM_SOURCES)
