/* Stands for the event log service under Wine, whose own makes no copies: a DLL in place of Wine's wevtapi.dll. Every copy that is asked
   for is written into C:\doubles\copied.txt. C:\doubles\events\NAME.evtx is what Windows has of a log, NAME.error the error that asking
   for it gives; the log that C:\doubles\waits.txt names is never finished. In names of files a slash is %4. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#define EXPORT __declspec(dllexport)
#define NO_SUCH_CHANNEL 15007

static void place(char *path, const wchar_t *channel, const char *ending) {
    char *to = path + sprintf(path, "C:\\doubles\\events\\");
    for (; *channel && to - path < 400; channel++)
        to += *channel == L'/' ? sprintf(to, "%%4") : sprintf(to, "%c", (char)*channel);
    strcpy(to, ending);
}

EXPORT BOOL WINAPI EvtExportLog(HANDLE session, const wchar_t *channel, const wchar_t *query, const wchar_t *target, DWORD flags) {
    char from[512], to[1024], line[64] = "";
    DWORD error = NO_SUCH_CHANNEL;
    FILE *file = fopen("C:\\doubles\\copied.txt", "ab");
    if (file) {
        fprintf(file, "%ls\n", channel);
        fclose(file);
    }
    if ((file = fopen("C:\\doubles\\waits.txt", "rb"))) {
        char name[64] = "", asked[64] = "";
        if (fgets(name, sizeof name, file)) name[strcspn(name, "\r\n")] = 0;
        fclose(file);
        snprintf(asked, sizeof asked, "%ls", channel);
        if (!strcmp(name, asked)) Sleep(INFINITE);
    }
    if (session || wcscmp(query, L"*") || flags != 1) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    place(from, channel, ".error");
    if ((file = fopen(from, "rb"))) {
        error = fgets(line, sizeof line, file) ? atoi(line) : ERROR_INVALID_DATA;
        fclose(file);
        SetLastError(error);
        return FALSE;
    }
    place(from, channel, ".evtx");
    if (GetFileAttributesA(from) == INVALID_FILE_ATTRIBUTES) {
        SetLastError(NO_SUCH_CHANNEL);
        return FALSE;
    }
    sprintf(to, "%ls", target);
    /* Like Windows, never over a file that is there. */
    return CopyFileA(from, to, TRUE);
}

EXPORT HANDLE WINAPI EvtOpenLog(HANDLE session, const wchar_t *channel, DWORD flags) {
    char from[512];
    place(from, channel, ".evtx");
    HANDLE file = CreateFileA(from, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    return file == INVALID_HANDLE_VALUE ? NULL : file;
}

/* How many records there are is here how long the file is. */
EXPORT BOOL WINAPI EvtGetLogInfo(HANDLE log, DWORD property, DWORD size, void *buffer, DWORD *used) {
    struct { unsigned long long value; DWORD count, type; } *answer = buffer;
    *used = sizeof *answer;
    if (size < sizeof *answer || (property != 5 && property != 6)) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    answer->value = property == 5 ? GetFileSize(log, NULL) : 1;
    answer->count = 0;
    answer->type = 10;
    return TRUE;
}

EXPORT BOOL WINAPI EvtClose(HANDLE log) {
    return CloseHandle(log);
}
