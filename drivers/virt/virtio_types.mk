# Types of virtio devices, each tested alone on queues without rings.
UNIT_TESTS += virtio_rng
test_virtio_rng_SOURCES := drivers/virt/virtio_rng.c tests/fake/virtio_chains.c
