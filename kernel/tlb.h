/* What this CPU remembers of page tables. SDM Vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches". */
#pragma once
#include <stdint.h>

void tlb_load(uint64_t cr3); /* other page tables: all translations that are not global go. A serializing instruction. */
void tlb_flush_user(void);   /* all translations that are not global */
void tlb_flush_all(void);    /* global ones too */
