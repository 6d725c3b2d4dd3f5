#include "server.h"

#include "crew.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

server server_start(const char *path)
{
    server started = {.input = -1};
    int input[2], output[2];
    CHECK(pipe(input) == 0 && pipe(output) == 0);
    started.process = fork();
    CHECK(started.process >= 0);
    if (started.process == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        close(input[0]);
        close(input[1]);
        close(output[0]);
        close(output[1]);
        execl(path, path, (char *)NULL);
        perror(path);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    started.input = input[1];

    FILE *lines = fdopen(output[0], "r");
    char line[2048];
    CHECK(lines != NULL && fgets(line, sizeof line, lines) != NULL);
    fclose(lines);
    cJSON *json = cJSON_Parse(line);
    const char *host = cJSON_GetStringValue(cJSON_GetObjectItem(json, "host"));
    const char *directory = cJSON_GetStringValue(cJSON_GetObjectItem(json, "directory"));
    CHECK(host != NULL && directory != NULL);
    snprintf(started.host, sizeof started.host, "%s", host);
    snprintf(started.directory, sizeof started.directory, "%s", directory);
    started.port = (uint16_t)cJSON_GetNumberValue(cJSON_GetObjectItem(json, "port"));
    cJSON_Delete(json);
    return started;
}

void server_stop(server *server)
{
    int status = -1;
    close(server->input);
    CHECK(waitpid(server->process, &status, 0) == server->process);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int server_dial(const server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    CHECK(inet_pton(AF_INET, server->host, &address.sin_addr) == 1);
    int dialled = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(dialled >= 0);
    CHECK(connect(dialled, (struct sockaddr *)&address, sizeof address) == 0);
    int yes = 1;
    CHECK(setsockopt(dialled, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0);
    return dialled;
}
