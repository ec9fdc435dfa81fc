/* Reads lines "language number inserts" (1: the text has inserts, which shall stay) and writes each with the text that FormatMessage gives, as UTF-16 in hexadecimal. */
#include <stdio.h>
#include <windows.h>

int main(int count, char **words)
{
    static WCHAR text[70000];
    unsigned language, id, inserts;
    HMODULE module = count > 1 ? LoadLibraryExA(words[1], NULL, LOAD_LIBRARY_AS_DATAFILE) : NULL;
    if (!module) return 1;
    while (scanf("%u %u %u", &language, &id, &inserts) == 3) {
        DWORD flags = FORMAT_MESSAGE_FROM_HMODULE | (inserts ? FORMAT_MESSAGE_IGNORE_INSERTS : 0);
        DWORD length = FormatMessageW(flags, module, id, language, text, 65000, NULL);
        printf("%u %u ", language, id);
        for (DWORD at = 0; at < length; at++) printf("%04x", text[at]);
        printf(length ? "\n" : "-\n");
    }
    return 0;
}
