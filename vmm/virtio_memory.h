/* The guest's memory as device models reach it (drivers/virt/guest_memory.h). */
#pragma once
#include "drivers/virt/guest_memory.h"
#include "vmm/gmem.h"

/* gm must last. */
struct guest_memory virtio_memory(struct gmem *gm);
