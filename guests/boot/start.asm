; Start of the 32-bit test kernels: saves what the loader left in registers, and calls boot_main(). A program is started by its
; Multiboot header or by its PVH note; the same file may have both (the linker script keeps one).

bits 32

extern boot_main
global boot_entry, boot_state

MULTIBOOT_MAGIC	equ	1BADB002h
MULTIBOOT_FLAGS	equ	3				; modules on pages, memory information

section .multiboot
align 4
	dd	MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

section .note.pvh note
align 4
	dd	4, 4, 18				; lengths of name and descriptor; XEN_ELFNOTE_PHYS32_ENTRY
	db	"Xen", 0
	dd	boot_entry

section .text

boot_entry:
	mov	[boot_state.eax], eax
	mov	[boot_state.ebx], ebx
	mov	esp, stack_end
	pushfd
	pop	dword [boot_state.eflags]
	mov	eax, cr0
	mov	[boot_state.cr0], eax
	mov	eax, cr4
	mov	[boot_state.cr4], eax
	mov	[boot_state.cs], cs
	mov	[boot_state.ds], ds
	str	[boot_state.tr]
	cld
	call	boot_main
	mov	dx, 604h				; PM1a control: SLP_EN, sleep type of S5
	mov	ax, 3C00h
	out	dx, ax
.stay:
	hlt
	jmp	.stay

section .data
align 4
boot_state:
.eax:	dd	0
.ebx:	dd	0
.eflags: dd	0
.cr0:	dd	0
.cr4:	dd	0
.cs:	dw	0
.ds:	dw	0
.tr:	dw	0
	dw	0

section .bss
alignb 16
	resb	8192
stack_end:
