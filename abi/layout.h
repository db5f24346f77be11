/* The upper half of every address space, as the loader first builds it and the kernel keeps it. 4-level paging.
 *
 *   PML4 slot   what
 *   0   - 255   the program
 *   256 - 383   direct map, sparse: DIRECT_MAP_BASE + physical address, only for memory that ring 0 itself owns
 *               (boot heap, kernel parts of pools); never guest RAM, boot files or the kernel image
 *   384         kernel stacks with guard pages; in its upper half the CPUs' GDTs, each alone in 64 KiB
 *   385         per-CPU windows, device registers (local APIC, IOAPIC), emergency framebuffer
 *   386         one VM's own slot: what its vCPUs compute with; present in that VM's address spaces only
 *   511         kernel image, at a random 2 MiB boundary
 */
#pragma once
#include <stdint.h>

#define PAGE_SHIFT            12
#define PAGE_SIZE_BYTES       4096ULL
#define PAGE_2M_BYTES         0x200000ULL
#define PAGE_1G_BYTES         0x40000000ULL

#define USER_END              0x0000800000000000ULL
#define DIRECT_MAP_BASE       0xffff800000000000ULL
#define DIRECT_MAP_END        0xffffc00000000000ULL /* 64 TiB of physical addresses */
#define KERNEL_STACKS_BASE    0xffffc00000000000ULL
#define KERNEL_GDTS_BASE      0xffffc04000000000ULL
#define KERNEL_DEVICES_BASE   0xffffc08000000000ULL
#define VM_SLOT_BASE          0xffffc10000000000ULL
#define KERNEL_IMAGE_BASE     0xffffffff80000000ULL
#define KERNEL_IMAGE_END      0xffffffffc0000000ULL
