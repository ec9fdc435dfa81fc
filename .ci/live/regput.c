/* Puts lines into the registry of the Wine prefix in which it runs, or prints all of it. For tests; knows no mercy, so it refuses a real Windows.
   D PATH           removes what is in a key, and the key unless somebody works in it
   K PATH           makes a key; the values that follow are put into it
   V TYPE HEX NAME  a value, its data in hexadecimal ("-" when empty); without a name the default value
   Texts are UTF-8, paths begin below HKEY_LOCAL_MACHINE. With the word "dump" it prints SYSTEM and SOFTWARE as such lines. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[1 << 22];
static BYTE data[1 << 21];
static WCHAR wide[1 << 16];

static WCHAR *widened(const char *text) {
    if (!MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, sizeof wide / sizeof *wide)) { fprintf(stderr, "not UTF-8: %.200s\n", text); exit(1); }
    return wide;
}

static void check(LONG answer, const char *what) {
    if (answer) { fprintf(stderr, "error %ld: %.300s\n", answer, what); exit(1); }
}

/* The service manager holds this key open, so it is emptied and stays. */
static int stays(const WCHAR *name, int depth) {
    return depth == 0 ? !lstrcmpiW(name, L"SYSTEM\\CurrentControlSet") : depth == 1 && !lstrcmpiW(name, L"Services");
}

static void drop(HKEY above, const WCHAR *name, int depth) {
    HKEY key;
    WCHAR below[256];
    DWORD length, at = 0, before, after;
    /* A link is removed itself, not what it leads to. */
    if (RegOpenKeyExW(above, name, REG_OPTION_OPEN_LINK, KEY_ALL_ACCESS, &key)) return;
    while (length = 256, RegEnumKeyExW(key, at, below, &length, NULL, NULL, NULL, NULL) == 0) {
        RegQueryInfoKeyW(key, NULL, NULL, NULL, &before, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        drop(key, below, depth + 1);
        RegQueryInfoKeyW(key, NULL, NULL, NULL, &after, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        if (after >= before) at++;
    }
    /* Where a key cannot go, what is in it does. */
    while (length = 256, RegEnumValueW(key, 0, below, &length, NULL, NULL, NULL, NULL) == 0 && RegDeleteValueW(key, below) == 0) {}
    RegCloseKey(key);
    if (!stays(name, depth)) RegDeleteKeyExW(above, name, 0, 0);
}

static void print(const WCHAR *text) {
    WideCharToMultiByte(CP_UTF8, 0, text, -1, line, sizeof line, NULL, NULL);
    fputs(line, stdout);
}

static void dump(HKEY above, const WCHAR *name, const WCHAR *path) {
    HKEY key;
    WCHAR below[256], whole[2048], value[1024];
    DWORD length, size, type, at;
    if (RegOpenKeyExW(above, name, REG_OPTION_OPEN_LINK, KEY_READ, &key)) return;
    fputs("K ", stdout); print(path); putchar('\n');
    for (at = 0; length = 1024, size = sizeof data, RegEnumValueW(key, at, value, &length, NULL, &type, data, &size) == 0; at++) {
        printf("V %lu ", type);
        for (DWORD byte = 0; byte < size; byte++) printf("%02x", data[byte]);
        putchar(' '); print(value); putchar('\n');
    }
    for (at = 0; length = 256, RegEnumKeyExW(key, at, below, &length, NULL, NULL, NULL, NULL) == 0; at++) {
        lstrcpyW(whole, path); lstrcatW(whole, L"\\"); lstrcatW(whole, below);
        dump(key, below, whole);
    }
    RegCloseKey(key);
}

int main(int count, char **words) {
    HKEY key = NULL;
    if (!GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version")) { fputs("this is for Wine only\n", stderr); return 2; }
    if (count > 1 && !strcmp(words[1], "dump")) {
        dump(HKEY_LOCAL_MACHINE, L"SYSTEM", L"SYSTEM");
        dump(HKEY_LOCAL_MACHINE, L"SOFTWARE", L"SOFTWARE");
        return 0;
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (line[0] == 'D') {
            drop(HKEY_LOCAL_MACHINE, widened(line + 2), 0);
        } else if (line[0] == 'K') {
            if (key) RegCloseKey(key);
            check(RegCreateKeyExW(HKEY_LOCAL_MACHINE, widened(line + 2), 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL), line);
        } else if (line[0] == 'V') {
            char *type = line + 2, *hex = strchr(type, ' ') + 1, *name = strchr(hex, ' ');
            DWORD size = 0;
            *name++ = 0;
            for (const char *at = hex; at[0] && at[0] != '-' && at[1]; at += 2) {
                char pair[3] = { at[0], at[1], 0 };
                data[size++] = (BYTE)strtoul(pair, NULL, 16);
            }
            check(RegSetValueExW(key, widened(name), 0, strtoul(type, NULL, 10), data, size), line);
        }
    }
    return 0;
}
