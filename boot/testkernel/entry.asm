; Entry of the test kernel, and its note. Source: abi/boot_info.h.

BOOT_NOTE_TYPE		equ	0x42480001
BOOT_INFO_VERSION	equ	1

	section	.note.bulkhead alloc noexec nowrite note align=4
	dd	9, 4, BOOT_NOTE_TYPE
	db	"Bulkhead", 0, 0, 0, 0
	dd	BOOT_INFO_VERSION

	bits	64
	section	.text

; In: as the loader promises. Out: test_main(info, stack_pointer, flags), which never returns.
	extern	test_main
	global	kernel_entry:function hidden
kernel_entry:
	mov	rsi, rsp
	pushfq
	pop	rdx
	call	test_main
.stop:
	hlt
	jmp	.stop

	section	.note.GNU-stack noalloc noexec nowrite progbits
