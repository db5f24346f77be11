; Entry of the test kernel.

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
