/* Starts other ring 3 programs. Their images come from the boot volume: checked by lib/elf, refused in words. */
#include "manager/program.h"

#include "lib/base/string.h"
#include "lib/elf/elf.h"
#include "manager/layout.h"
#include "user/calls.h"

/* Copies the image into a memory object of its own, all segments at their distances. */
static enum status copy_image(const struct elf_image *image, handle_t pool, handle_t *memory)
{
	handle_t created;
	enum status status = memory_create_filled(pool, image->span_bytes, &created);
	enum status unmapped;

	if (status != OK)
		return status;
	status = space_map_all(MANAGER_HANDLE_SPACE, created, MANAGER_WINDOW_IMAGE, 0, image->span_bytes,
			       RIGHT_READ | RIGHT_WRITE);
	if (status == OK)
		status = elf_copy(image, (void *)MANAGER_WINDOW_IMAGE, image->span_bytes);
	unmapped = space_unmap_all(MANAGER_HANDLE_SPACE, MANAGER_WINDOW_IMAGE);
	if (status == OK)
		status = unmapped;
	if (status == OK)
		*memory = created;
	else
		sys_handle_close(created);
	return status;
}

static enum status map_segments(const struct elf_image *image, handle_t space, handle_t memory)
{
	enum status status = OK;

	for (unsigned i = 0; status == OK && i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];
		uint64_t len_bytes = (segment->memory_bytes + 4095) & ~4095ULL;

		status = space_map_all(space, memory, segment->virtual_address,
				       segment->virtual_address - image->lowest_address, len_bytes,
				       RIGHT_READ | (segment->writable ? RIGHT_WRITE : 0) |
					       (segment->executable ? RIGHT_EXECUTE : 0));
	}
	return status;
}

static enum status map_stack(handle_t space, handle_t pool)
{
	handle_t stack;
	enum status status = memory_create_filled(pool, PROGRAM_STACK_BYTES, &stack);

	if (status != OK)
		return status;
	status = space_map_all(space, stack, PROGRAM_STACK_TOP - PROGRAM_STACK_BYTES, 0, PROGRAM_STACK_BYTES,
			       RIGHT_READ | RIGHT_WRITE);
	sys_handle_close(stack); /* the view keeps the memory */
	return status;
}

static enum status fill_space(const struct elf_image *image, handle_t space, handle_t pool)
{
	handle_t memory;
	enum status status = copy_image(image, pool, &memory);

	if (status != OK)
		return status;
	status = map_segments(image, space, memory);
	sys_handle_close(memory);
	return status == OK ? map_stack(space, pool) : status;
}

/* Opens and checks the file, at MANAGER_WINDOW_FILE. */
static enum status open_image(const struct host *host, const char *path, struct elf_image *image,
			      struct program_problem *problem)
{
	struct elf_problem elf_problem = {.what = "cannot be mapped"};
	const uint8_t *bytes;
	size_t size_bytes;
	uint32_t index;
	enum status status = host_find_file(host, path, &index);

	if (status != OK) {
		*problem = (struct program_problem){.what = status == ERR_NOT_FOUND ? "is missing" : "was not loaded"};
		return status;
	}
	status = host_show_file(host, index, &bytes, &size_bytes);
	if (status == OK)
		status = elf_parse(bytes, size_bytes, image, &elf_problem);
	if (status == OK && image->dynamic_bytes > 0) {
		elf_problem = (struct elf_problem){.what = "wants to be relocated"};
		status = ERR_UNSUPPORTED;
	}
	if (status != OK)
		*problem = (struct program_problem){.what = elf_problem.what};
	return status;
}

enum status program_create(const struct host *host, const struct program_request *request, struct program *program,
			   struct program_problem *problem)
{
	struct elf_image image;
	handle_t space;
	enum status status = open_image(host, request->path, &image, problem);

	if (status != OK) {
		host_close_file();
		return status;
	}
	*problem = (struct program_problem){.what = "does not fit into memory"};
	status = sys_space_create(request->pool, request->vm, request->end_event, request->end_bits, request->cpu_mask, &space);
	if (status == OK) {
		status = fill_space(&image, space, request->pool);
		if (status != OK)
			sys_handle_close(space);
	}
	host_close_file();
	if (status == OK)
		*program = (struct program){.space = space, .pool = request->pool, .entry = image.entry};
	return status;
}

enum status program_run(const struct program *program, const char *name, uint64_t argument)
{
	struct thread_config config = {
		.entry = program->entry,
		.stack_top = PROGRAM_STACK_TOP,
		.argument = argument,
	};

	memcpy(config.name, name, strnlen(name, sizeof(config.name) - 1));
	return sys_thread_create(program->space, program->pool, &config);
}
