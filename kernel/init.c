/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command-line parameters and ordered initialisation.
 *
 * As in Linux: a parameter that nothing registered goes to init, as an
 * argument if it has no '=', as environment if it has one and no '.'; what
 * follows a lone "--" are arguments.
 */
#include "kernel/init.h"

#include "kernel/log.h"
#include "lib/parse.h"
#include "lib/string.h"

#define CMDLINE_MAX 2048

static char cmdline_given[CMDLINE_MAX];
static char cmdline_cut[CMDLINE_MAX];
/* Slot 0 is the program's name; two more for HOME and TERM in the environment. */
const char *init_args[INIT_ARGS_MAX + 2] = {"init"};
const char *init_env[INIT_ARGS_MAX + 3] = {"HOME=/", "TERM=linux"};

static void
list_add_word(const char **list, const char *word, const char *what)
{
	unsigned int i;

	for (i = 0; list[i]; i++)
		if (i >= INIT_ARGS_MAX) {
			log_err("init: too many %s on the command line, '%s' dropped", what, word);
			return;
		}
	list[i] = word;
}

static bool
param_known(const char *key, const char *value)
{
	const struct param *p;
	bool known = false;

	for_each_registered(params, p) {
		if (!cmdline_key_equal(p->name, key))
			continue;
		known = true;
		if (p->set(value))
			log_err("command line: '%s=%s' is not understood", key, value ? value : "");
	}
	return known;
}

static void
param_unknown(char *key, char *value)
{
	if (!value) {
		list_add_word(init_args, key, "arguments");
		return;
	}
	if (strchr(key, '.'))
		return;
	/* The tokenizer cut at '='; the value follows, maybe behind a quote. */
	key[strlen(key)] = '=';
	memmove(strchr(key, '=') + 1, value, strlen(value) + 1);
	list_add_word(init_env, key, "variables");
}

void
params_parse(const char *cmdline)
{
	char *pos = cmdline_cut, *key, *value;
	enum cmdline_token t;

	strscpy(cmdline_given, cmdline, sizeof(cmdline_given));
	strscpy(cmdline_cut, cmdline, sizeof(cmdline_cut));
	while ((t = cmdline_next(&pos, &key, &value)) == CMDLINE_PARAM)
		if (!param_known(key, value))
			param_unknown(key, value);
	if (t != CMDLINE_INIT_ARGS)
		return;
	while (cmdline_next(&pos, &key, &value) == CMDLINE_PARAM) {
		if (value) {
			key[strlen(key)] = '=';
			memmove(strchr(key, '=') + 1, value, strlen(value) + 1);
		}
		list_add_word(init_args, key, "arguments");
	}
}

const char *
params_cmdline(void)
{
	return cmdline_given;
}

void
initcalls_run(void)
{
	const struct initcall *c;
	unsigned int level;

	for (level = 0; level < INIT_LEVELS; level++)
		for_each_registered(initcalls, c) {
			int err;

			if (c->level != level)
				continue;
			err = c->fn();
			if (err)
				log_err("init: %s failed: %d", c->name, err);
		}
}
