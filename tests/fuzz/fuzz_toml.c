/* Any bytes through the TOML reader; the tree it gives is walked. */
#include <stdlib.h>

#include "lib/toml/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct toml_node *node, unsigned depth)
{
	if (depth > (2 + TOML_DEPTH_MAX) * TOML_DEPTH_MAX || node->line == 0 || node->column == 0 ||
	    node->key == NULL || node->text == NULL)
		abort();
	for (const struct toml_node *child = node->first; child != NULL; child = child->next)
		walk(child, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct toml_node nodes[256];
	static char text[1024];
	struct toml_arena arena = {.nodes = nodes, .node_max = 256, .text = text, .text_max = sizeof(text)};
	const struct toml_node *root = NULL;
	struct toml_error error;

	if (toml_parse(&arena, (const char *)data, size, &root, &error) == OK)
		walk(root, 0);
	else if (error.line == 0 || error.column == 0 || error.message[0] == '\0')
		abort();
	return 0;
}
