/* Puts lines into the registry of the Wine prefix in which it runs, or prints all of it. For tests; knows no mercy, so it refuses a real Windows.
   D PATH           removes what is in a key, and the key unless somebody works in it
   K PATH           makes a key; the values that follow are put into it
   R PATH           nobody writes to this key from now on; only D and K open it again
   V TYPE HEX NAME  a value, its data in hexadecimal ("-" when empty); without a name the default value
   Texts are UTF-8, paths begin below HKEY_LOCAL_MACHINE, those with ".DEFAULT" below HKEY_USERS. With the word "exactly" each key keeps no other
   values than those that follow. With the word "dump" it prints SYSTEM, SOFTWARE and .DEFAULT as such lines. */
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

static HKEY root(const char *path) {
    return strncmp(path, ".DEFAULT", 8) ? HKEY_LOCAL_MACHINE : HKEY_USERS;
}

/* The service manager holds this key open, so it is emptied and stays. */
static int stays(const WCHAR *name, int depth) {
    return depth == 0 ? !lstrcmpiW(name, L"SYSTEM\\CurrentControlSet") : depth == 1 && !lstrcmpiW(name, L"Services");
}

/* What everybody may do with a key. */
static void secure(HKEY above, const WCHAR *name, DWORD rights) {
    SECURITY_DESCRIPTOR security;
    SID_IDENTIFIER_AUTHORITY world = { SECURITY_WORLD_SID_AUTHORITY };
    BYTE list[256];
    PSID everyone;
    HKEY key;
    AllocateAndInitializeSid(&world, 1, SECURITY_WORLD_RID, 0, 0, 0, 0, 0, 0, 0, &everyone);
    InitializeAcl((ACL *)list, sizeof list, ACL_REVISION);
    AddAccessAllowedAce((ACL *)list, ACL_REVISION, rights, everyone);
    InitializeSecurityDescriptor(&security, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorDacl(&security, TRUE, (ACL *)list, FALSE);
    check(RegOpenKeyExW(above, name, 0, WRITE_DAC, &key), "open a key to secure it");
    check(RegSetKeySecurity(key, DACL_SECURITY_INFORMATION, &security), "secure a key");
    RegCloseKey(key);
}

/* A key as it is, and for writing. */
static LONG opened(HKEY above, const WCHAR *name, HKEY *key) {
    LONG answer = RegOpenKeyExW(above, name, REG_OPTION_OPEN_LINK, KEY_ALL_ACCESS, key);
    if (answer != ERROR_ACCESS_DENIED) return answer;
    secure(above, name, KEY_ALL_ACCESS);
    return RegOpenKeyExW(above, name, REG_OPTION_OPEN_LINK, KEY_ALL_ACCESS, key);
}

/* Removes all values of a key. */
static void empty(HKEY key) {
    WCHAR name[1024];
    DWORD length;
    while (length = 1024, RegEnumValueW(key, 0, name, &length, NULL, NULL, NULL, NULL) == 0 && RegDeleteValueW(key, name) == 0) {}
}

static void drop(HKEY above, const WCHAR *name, int depth) {
    HKEY key;
    WCHAR below[256];
    DWORD length, at = 0, before, after;
    /* A link is removed itself, not what it leads to. */
    if (opened(above, name, &key)) return;
    while (length = 256, RegEnumKeyExW(key, at, below, &length, NULL, NULL, NULL, NULL) == 0) {
        RegQueryInfoKeyW(key, NULL, NULL, NULL, &before, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        drop(key, below, depth + 1);
        RegQueryInfoKeyW(key, NULL, NULL, NULL, &after, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        if (after >= before) at++;
    }
    /* Where a key cannot go, what is in it does. */
    empty(key);
    RegCloseKey(key);
    if (!stays(name, depth)) RegDeleteKeyExW(above, name, 0, 0);
}

static void print(const WCHAR *text) {
    WideCharToMultiByte(CP_UTF8, 0, text, -1, line, sizeof line, NULL, NULL);
    fputs(line, stdout);
}

static void dump(HKEY above, const WCHAR *name, const WCHAR *path) {
    static const char digits[] = "0123456789abcdef";
    HKEY key;
    WCHAR below[256], whole[2048], value[1024];
    DWORD length, size, type, at;
    if (RegOpenKeyExW(above, name, REG_OPTION_OPEN_LINK, KEY_READ, &key)) return;
    fputs("K ", stdout); print(path); putchar('\n');
    for (at = 0; length = 1024, size = sizeof data, RegEnumValueW(key, at, value, &length, NULL, &type, data, &size) == 0; at++) {
        printf("V %lu ", type);
        for (DWORD byte = 0; byte < size; byte++) { putchar(digits[data[byte] >> 4]); putchar(digits[data[byte] & 15]); }
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
    int exactly = count > 1 && !strcmp(words[1], "exactly");
    if (!GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version")) { fputs("this is for Wine only\n", stderr); return 2; }
    if (count > 1 && !strcmp(words[1], "dump")) {
        setvbuf(stdout, NULL, _IOFBF, 1 << 16);
        dump(HKEY_LOCAL_MACHINE, L"SYSTEM", L"SYSTEM");
        dump(HKEY_LOCAL_MACHINE, L"SOFTWARE", L"SOFTWARE");
        dump(HKEY_USERS, L".DEFAULT", L".DEFAULT");
        return 0;
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (line[0] == 'D') {
            drop(root(line + 2), widened(line + 2), 0);
        } else if (line[0] == 'R') {
            secure(root(line + 2), widened(line + 2), KEY_READ | WRITE_DAC);
        } else if (line[0] == 'K') {
            if (key) RegCloseKey(key);
            if (opened(root(line + 2), widened(line + 2), &key))
                check(RegCreateKeyExW(root(line + 2), wide, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL), line);
            if (exactly) empty(key);
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
