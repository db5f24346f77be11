; The last instructions before Linux (bare=).
; Source: Linux, Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"; lib/bzimage/bzimage.h.

BZIMAGE_GDT_BYTES	equ	32
BZIMAGE_BOOT_CS		equ	0x10
BZIMAGE_BOOT_DS		equ	0x18
CR4_PAE			equ	1 << 5
CR4_MCE			equ	1 << 6

	bits	64
	section	.text

; _Noreturn void jump_to_linux(uint64_t entry, uint64_t page_tables, uint64_t stack_top, uint64_t boot_params,
;                              uint64_t gdt)
; In: RDI, RSI, RDX, RCX, R8 as above. Out: the kernel's entry with RSI = boot_params, IF = DF = 0.
; Jumped to from boot/common/bare.c in 64-bit mode, 4-level paging; this code is mapped identically in both page tables.
	global	jump_to_linux:function hidden
jump_to_linux:
	cli
	cld
	mov	rax, cr4
	and	eax, CR4_MCE
	or	eax, CR4_PAE
	mov	cr4, rax
	mov	cr3, rsi
	mov	rsp, rdx

	sub	rsp, 16
	mov	word [rsp], BZIMAGE_GDT_BYTES - 1
	mov	[rsp + 2], r8
	lgdt	[rsp]
	add	rsp, 16
	mov	eax, BZIMAGE_BOOT_DS
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax

	mov	rsi, rcx
	push	BZIMAGE_BOOT_CS
	push	rdi
	xor	eax, eax
	xor	ebx, ebx
	xor	ebp, ebp
	xor	edi, edi
	o64 retf

	global	jump_to_linux_end:data hidden
jump_to_linux_end:

	section	.note.GNU-stack noalloc noexec nowrite progbits
