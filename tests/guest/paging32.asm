; Does paging of 32-bit protected mode work as a 32-bit kernel uses it: 4 MiB and 4 KiB pages, faults, accessed and dirty flags,
; write protection, a device at a high virtual address? SDM Vol. 3A, "32-Bit Paging".

%include "tests/guest/lib/modes.inc"

IOAPIC  equ 0xfec00000
WINDOW  equ 0x40000000	; pages of 4 KiB, by `table`
HIGH    equ 0xc0000000	; a page of 4 MiB on the device
PRESENT equ 1
WRITE   equ 2
USER    equ 4
ACCESSED equ 0x20
DIRTY   equ 0x40
LARGE   equ 0x80

question32
program:
	pushad
	call	make_tables
	mov	eax, cr4
	or	eax, 0x10		; PSE
	mov	cr4, eax
	mov	eax, directory
	mov	cr3, eax
	mov	eax, cr0
	or	eax, 0x80010000		; PG, WP
	mov	cr0, eax
	jmp	.paged
.paged:	call	memory
	call	faults
	call	device
	mov	eax, cr0
	and	eax, 0x7fffffff
	mov	cr0, eax
	mov	eax, cr4
	and	eax, ~0x10
	mov	cr4, eax
	popad
	ret

; The first 16 MiB and the device's own place, one to one.
make_tables:
	mov	edi, directory
	xor	eax, eax
	mov	ecx, 1024
	cld
	rep	stosd
	mov	dword [directory], LARGE | WRITE | PRESENT
	mov	dword [directory + 4], 0x400000 | LARGE | WRITE | PRESENT
	mov	dword [directory + (IOAPIC >> 22) * 4], (IOAPIC & 0xffc00000) | LARGE | WRITE | PRESENT
	mov	dword [directory + (HIGH >> 22) * 4], (IOAPIC & 0xffc00000) | LARGE | WRITE | PRESENT
	mov	eax, table
	or	eax, USER | WRITE | PRESENT
	mov	[directory + (WINDOW >> 22) * 4], eax
	mov	edi, table
	xor	eax, eax
	mov	ecx, 1024
	rep	stosd
	mov	eax, page
	or	eax, WRITE | PRESENT
	mov	[table], eax
	mov	eax, page
	or	eax, PRESENT
	mov	[table + 8], eax
	mov	dword [table + 12], IOAPIC | WRITE | PRESENT
	ret

memory:
	mov	dword [page], 0x12345678
	mov	eax, [WINDOW]
	check32 "a page of 4 KiB", eax, 0x12345678
	mov	eax, [table]
	and	eax, ACCESSED | DIRTY
	check32 "it was accessed", eax, ACCESSED
	mov	dword [WINDOW + 4], 0x9abcdef0
	mov	eax, [table]
	and	eax, ACCESSED | DIRTY
	check32 "it was written", eax, ACCESSED | DIRTY
	check32 "what was written", [page + 4], 0x9abcdef0
	mov	eax, [directory + (WINDOW >> 22) * 4]
	and	eax, ACCESSED
	check32 "its table was accessed", eax, ACCESSED
	ret

faults:
	expect32 "a page that is not there", VECTOR_PF, {mov eax, [WINDOW + 0x1004]}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 0
	mov	eax, cr2
	check32 "its address", eax, WINDOW + 0x1004
	expect32 "a write across into it", VECTOR_PF, {mov [WINDOW + 0xffe], eax}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 2
	mov	eax, cr2
	check32 "its address", eax, WINDOW + 0x1000
	expect32 "a read-only page is read", NONE, {mov eax, [WINDOW + 0x2000]}
	expect32 "a read-only page is written", VECTOR_PF, {mov [WINDOW + 0x2000], eax}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 3
	mov	eax, cr0
	and	eax, ~0x10000
	mov	cr0, eax
	expect32 "and without CR0.WP", NONE, {mov dword [WINDOW + 0x2000], 0x1234}
	mov	eax, cr0
	or	eax, 0x10000
	mov	cr0, eax
	check32 "that was written", [page], 0x1234
	mov	ecx, 6000
	mov	esi, page
	mov	edi, WINDOW
	cld
	expect32 "REP MOVSB into the page that is not there", VECTOR_PF, {rep movsb}
	check32 "what it left", ecx, 6000 - 4096
	mov	edx, 0x300
	mov	edi, WINDOW + 0xffe
	mov	ecx, 5
	expect32 "REP INSB into it", VECTOR_PF, {rep insb}
	check32 "what it left", ecx, 3
	ret

device:
	mov	dword [HIGH + (IOAPIC & 0x3fffff)], 0
	mov	dword [HIGH + (IOAPIC & 0x3fffff) + 0x10], 0x06000000
	mov	eax, [IOAPIC + 0x10]
	check32 "a device by a page of 4 MiB", eax, 0x06000000
	mov	eax, [WINDOW + 0x3010]
	check32 "a device by a page of 4 KiB", eax, 0x06000000
	mov	eax, [table + 12]
	and	eax, ACCESSED
	check32 "it was accessed", eax, ACCESSED
	and	dword [table + 12], ~(ACCESSED | WRITE)
	invlpg	[WINDOW + 0x3000]
	expect32 "a device's page that is read-only", VECTOR_PF, {mov [WINDOW + 0x3010], eax}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 3
	mov	dword [table + 12], 0
	invlpg	[WINDOW + 0x3000]
	expect32 "a device's page that is not there", VECTOR_PF, {mov eax, [WINDOW + 0x3010]}
	ret

section .bss
align 4096
directory:	resb	4096
table:		resb	4096
page:		resb	4096

section .note.GNU-stack noalloc noexec nowrite progbits
