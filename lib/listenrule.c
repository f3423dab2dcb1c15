/* SPDX-License-Identifier: ISC */
/* listenrule.c: see listenrule.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/listenrule.h"
#include "lib/units.h"

static int parse_ports(const char *text, struct listen_rule *rule);
static int parse_network(const char *text, struct listen_rule *rule, const char **ret_problem);
static int parse_path(const char *text, struct listen_rule *rule, const char **ret_problem);
static int parse_ip(const char *text, unsigned char ret_ip[16]);
static bool has_dots(const char *path);

int listen_rule_parse(const char *text, struct listen_rule *ret_rule, const char **ret_problem)
{
	struct listen_rule rule = {0};
	int error;

	*ret_problem = "is no place to listen: tcp:, udp: or unix: is allowed in front";
	if (strncmp(text, "tcp:", 4) == 0 || strncmp(text, "udp:", 4) == 0) {
		rule.kind = text[0] == 't' ? LISTEN_TCP : LISTEN_UDP;
		error = parse_network(text + 4, &rule, ret_problem);
	} else if (strncmp(text, "unix:", 5) == 0) {
		rule.kind = LISTEN_UNIX;
		error = parse_path(text + 5, &rule, ret_problem);
	} else {
		return -EINVAL;
	}
	if (error == 0)
		*ret_rule = rule;
	return error;
}

bool listen_rules_permit_port(const struct listen_rule *rules, size_t count, enum listen_kind kind,
    const char *address, unsigned port, unsigned privileged)
{
	unsigned char ip[16] = {0};

	if (address != NULL && parse_ip(address, ip) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct listen_rule *rule = &rules[i];

		if (rule->kind != kind ||
		    (rule->has_ip && (address == NULL || memcmp(ip, rule->ip, sizeof(ip)) != 0)))
			continue;
		if (rule->any_port ? port == 0 || port >= privileged
				   : port >= rule->first_port && port <= rule->last_port)
			return true;
	}
	return false;
}

bool listen_rules_permit_path(const struct listen_rule *rules, size_t count, const char *path)
{
	if (path[0] != '/' || has_dots(path))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct listen_rule *rule = &rules[i];
		size_t length = strlen(rule->path);

		if (rule->kind != LISTEN_UNIX)
			continue;
		if (!rule->any_name ? strcmp(path, rule->path) == 0
				    : strncmp(path, rule->path, length) == 0 &&
					  (length == 0 || (path[length] != '\0' &&
							      strchr(path + length, '/') == NULL)))
			return true;
	}
	return false;
}

static int parse_network(const char *text, struct listen_rule *rule, const char **ret_problem)
{
	const char *colon = strrchr(text, ':');
	char address[INET6_ADDRSTRLEN + 2];
	size_t length;

	*ret_problem = "needs a port: 8124, 8000-8099, 0 or * is allowed, also after an IP address";
	if (colon == NULL)
		return parse_ports(text, rule);
	if (parse_ports(colon + 1, rule) < 0)
		return -EINVAL;
	*ret_problem =
	    "has no IP address before the port: 127.0.0.1 or [::1] for instance is allowed";
	length = (size_t)(colon - text);
	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	rule->has_ip = true;
	if (address[0] != '[')
		return strchr(address, ':') == NULL ? parse_ip(address, rule->ip) : -EINVAL;
	if (address[length - 1] != ']')
		return -EINVAL;
	address[length - 1] = '\0';
	return strchr(address, ':') != NULL ? parse_ip(address + 1, rule->ip) : -EINVAL;
}

static int parse_ports(const char *text, struct listen_rule *rule)
{
	const char *dash = strchr(text, '-');
	uint64_t first, last;
	char digits[8];

	if (strcmp(text, "*") == 0) {
		rule->any_port = true;
		return 0;
	}
	if (dash != NULL) {
		if ((size_t)(dash - text) >= sizeof(digits))
			return -EINVAL;
		memcpy(digits, text, (size_t)(dash - text));
		digits[dash - text] = '\0';
		if (units_parse_count(digits, 1, UINT16_MAX, &first) < 0 ||
		    units_parse_count(dash + 1, first, UINT16_MAX, &last) < 0)
			return -EINVAL;
	} else if (units_parse_count(text, 0, UINT16_MAX, &first) < 0) {
		return -EINVAL;
	} else {
		last = first;
	}
	rule->first_port = (uint16_t)first;
	rule->last_port = (uint16_t)last;
	return 0;
}

static int parse_path(const char *text, struct listen_rule *rule, const char **ret_problem)
{
	size_t length = strlen(text);

	*ret_problem =
	    "needs an absolute path of at most 107 bytes without '..': unix:/run/web.sock, "
	    "unix:/run/web/* or unix:* is allowed";
	if (strcmp(text, "*") == 0) {
		rule->any_name = true;
		return 0;
	}
	if (text[0] != '/' || length >= sizeof(rule->path) || has_dots(text))
		return -EINVAL;
	if (length > 2 && strcmp(text + length - 2, "/*") == 0) {
		rule->any_name = true;
		length--;
	}
	if (memchr(text, '*', length) != NULL)
		return -EINVAL;
	memcpy(rule->path, text, length);
	return 0;
}

static int parse_ip(const char *text, unsigned char ret_ip[16])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (inet_pton(AF_INET6, text, ret_ip) == 1)
		return 0;
	memcpy(ret_ip, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ret_ip + sizeof(mapped)) == 1 ? 0 : -EINVAL;
}

/* "..", by which a path is somewhere else than it looks. */
static bool has_dots(const char *path)
{
	size_t length = strlen(path);

	return strstr(path, "/../") != NULL ||
	       (length >= 3 && strcmp(path + length - 3, "/..") == 0);
}
