/* What the files of the Multiboot2 loader share. It runs on the boot CPU, on its own identity map; no firmware is called. */
#pragma once
#include <stdint.h>

#include "boot/common/files.h"
#include "boot/multiboot2/tags.h"

/* multiboot2.ld: where this image lies. */
extern const uint8_t image_start[], image_end[];

/* entry.asm: root, level 3, four tables of level 2. */
extern uint64_t multiboot2_tables[];

/* relocate.c */
void multiboot2_relocate(void);

/* main.c: magic as the loader left it in EAX; information: physical address of the information structure. */
void multiboot2_main(uint32_t magic, uint64_t information);

/* paging.c: extends the identity map from 4 GiB as far as it can. Returns where it ends. */
uint64_t paging_extend(void);

/* firmware.c: the source of the memory map, and how far the identity map reaches. */
void firmware_init(const struct multiboot2_info *info, uint64_t reach);
/* This page of our image is handed to the kernel as ACPI tables. */
void firmware_keep_page(uint64_t physical);

/* screen.c: the framebuffer that GRUB set, or text mode; NULL: nothing known. */
void screen_init(const struct multiboot2_info *info, uint64_t reach);

/* rtc.c: the CMOS clock, taken as UTC, or -1. */
int64_t rtc_wall_clock(void);

/* rsdp.c: where the RSDP is: from UEFI's configuration table, by search in the BIOS's memory, or GRUB's copy of it, which
 * then goes to a page that is kept. 0: none. After firmware_init(). */
uint64_t rsdp_find(const struct multiboot2_info *info, uint64_t reach);
