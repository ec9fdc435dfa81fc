/* Stands for DISM and SFC under Wine. C:\doubles\mode.txt says what it does; how it was called is written into C:\doubles\called.txt.
   Its words are not English on purpose: nothing may depend on them. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#ifdef SFC
static void say(const char *text) {
    /* SFC writes UTF-16 into a pipe. */
    for (; *text; text++) {
        unsigned char unit[2] = {(unsigned char)*text, 0};
        fwrite(unit, 1, 2, stdout);
    }
    fflush(stdout);
}
#else
static void say(const char *text) {
    fputs(text, stdout);
    fflush(stdout);
}
#endif

static void add(const char *path, const char *text) {
    FILE *file = fopen(path, "ab");
    if (file) {
        fputs(text, file);
        fclose(file);
    }
}

/* Until it is ended: a beat four times a second shows that it lives. */
static void live_on(const char *beat) {
    for (;;) {
        add(beat, "x");
        Sleep(250);
    }
}

int main(int count, char **words) {
    char mode[64] = "", line[4096] = "";
    FILE *file;
    if (count > 1 && strcmp(words[1], "child") == 0) live_on("C:\\doubles\\child.txt");
    for (int at = 1; at < count; at++) {
        strcat(line, words[at]);
        strcat(line, at + 1 < count ? "|" : "\n");
    }
    add("C:\\doubles\\called.txt", line);
    file = fopen("C:\\doubles\\mode.txt", "rb");
    if (file) {
        if (!fgets(mode, sizeof mode, file)) mode[0] = 0;
        fclose(file);
    }
    say("Werkzeug, Version: 10.0.19041.844\r\n");
    say("\r[=====      20.0%           ] ");
    Sleep(400);
    if (strncmp(mode, "hangs", 5) == 0) {
        char self[MAX_PATH], call[MAX_PATH + 16];
        STARTUPINFOA start = {sizeof start};
        PROCESS_INFORMATION child;
        GetModuleFileNameA(NULL, self, sizeof self);
        snprintf(call, sizeof call, "\"%s\" child", self);
        CreateProcessA(NULL, call, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child);
        live_on("C:\\doubles\\parent.txt");
    }
    say("\r[===========62,3 %=====     ] ");
    Sleep(400);
    if (strncmp(mode, "fails", 5) == 0) {
        add("C:\\windows\\Logs\\CBS\\CBS.log",
            "2025-06-13 10:00:00, Info                  CBS    \n=================================\nChecking System Update Readiness.\n\n"
            "(p)\tCSI Payload Corrupt\t\t\t(n)\t\t\tamd64_microsoft-windows-sample-viewer_31bf3856ad364e35_10.0.26100.1742_none_5d1f0c93be2a7714\\viewer.dll\n\n"
            "Summary:\nOperation: Detect and Repair \nOperation result: 0x800f081f\nTotal Detected Corruption:\t1\nTotal Repaired Corruption:\t0\n");
        say("\r\nFehler: 0x800f081f\r\n");
        ExitProcess(0x800F081F);
    }
    if (strncmp(mode, "repairs", 7) == 0) {
        CopyFileA("C:\\doubles\\viewer.dll",
                  "C:\\windows\\WinSxS\\amd64_microsoft-windows-sample-viewer_31bf3856ad364e35_10.0.26100.1742_none_5d1f0c93be2a7714\\viewer.dll", FALSE);
    }
    say("\r[==========100.0%===========] \r\nFertig.\r\n");
    return 0;
}
