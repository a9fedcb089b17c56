/* listen PORT: listens on PORT of the loopback address, connects to it, and prints "listening on PORT" if a word came through; else the error. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0)) };
	const struct sockaddr *place = (const struct sockaddr *)&address;
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char word[8] = "";
	int peer;

	if (server < 0 || client < 0 || bind(server, place, sizeof(address)) < 0 ||
		listen(server, 1) < 0) {
		printf("%s\n", strerror(errno));
		return 1;
	}
	if (connect(client, place, sizeof(address)) < 0 ||
		(peer = accept4(server, NULL, NULL, SOCK_CLOEXEC)) < 0 ||
		write(client, "word", 4) != 4 || read(peer, word, sizeof(word) - 1) != 4 ||
		strcmp(word, "word") != 0) {
		printf("no word came through\n");
		return 2;
	}
	printf("listening on %d\n", ntohs(address.sin_port));
	return 0;
}
