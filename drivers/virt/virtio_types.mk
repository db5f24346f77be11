# Types of virtio devices, each tested alone on queues without rings.
UNIT_TESTS += virtio_rng
test_virtio_rng_SOURCES := drivers/virt/virtio_rng.c tests/fake/virtio_chains.c
UNIT_TESTS += virtio_console
test_virtio_console_SOURCES := drivers/virt/virtio_console.c tests/fake/virtio_chains.c
UNIT_TESTS += virtio_vsock
test_virtio_vsock_SOURCES := drivers/virt/virtio_vsock.c tests/fake/virtio_chains.c
UNIT_TESTS += virtio_balloon
test_virtio_balloon_SOURCES := drivers/virt/virtio_balloon.c tests/fake/virtio_chains.c
UNIT_TESTS += virtio_blk
test_virtio_blk_SOURCES = drivers/virt/virtio_blk.c tests/fake/virtio_chains.c $(DISK_SOURCES)
