; Changes CR4.LA57, which needs paging off and so a way through 32-bit mode. Copied by boot/efi/paging_levels.c to a page
; below 4 GiB, so everything in here is position-independent.
; Source: SDM Vol. 3A, "Paging-Mode Enabling", "Initializing IA-32e Mode", "IA-32e Mode Operation".

CR0_PG_BIT	equ	31
CODE_64		equ	8
CODE_32		equ	16
DATA		equ	24

	section	.text

; void paging_switch(uint64_t root_physical, uint64_t cr4)
; In: RDI = root of the new tables, below 4 GiB; RSI = the new CR4, PAE set and PCIDE clear, as in the present one. Both
; tables map this code, the caller and its stack identically. IF = 0. Out: 64-bit mode on the new tables, CS = CODE_64 and
; SS = DATA of the GDT below, all registers that a callee saves unchanged. Called by boot/efi/paging_levels.c.
	bits	64
	global	paging_switch:data hidden
paging_switch:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[rel saved_stack], rsp	; 32-bit mode keeps lower halves only
	lea	rbx, [rel paging_switch]
	lea	rax, [rel gdt]
	mov	[rel gdt_pointer + 2], rax
	lgdt	[rel gdt_pointer]
	lea	rax, [rel .long_mode]
	mov	[rel far_pointer], eax
	lea	rax, [rel .compatibility_mode]
	push	CODE_32
	push	rax
	o64 retf

	bits	32
.compatibility_mode:
	mov	eax, DATA
	mov	ss, eax
	mov	eax, cr0
	btr	eax, CR0_PG_BIT		; leaves IA-32e mode; EFER.LME stays
	mov	cr0, eax
	mov	cr4, esi
	mov	cr3, edi
	bts	eax, CR0_PG_BIT
	mov	cr0, eax
	jmp	far [ebx + far_pointer - paging_switch]

	bits	64
.long_mode:
	mov	rsp, [rel saved_stack]
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

	align	8
gdt:
	dq	0
	dq	0x00209a0000000000	; 64-bit code
	dq	0x00cf9a000000ffff	; 32-bit code, flat
	dq	0x00cf92000000ffff	; data, flat
gdt_pointer:
	dw	gdt_pointer - gdt - 1
	dq	0
	align	8
far_pointer:
	dd	0
	dw	CODE_64
	align	8
saved_stack:
	dq	0

	global	paging_switch_end:data hidden
paging_switch_end:

	section	.note.GNU-stack noalloc noexec nowrite progbits
