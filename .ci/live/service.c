/* A service for tests, and a few words to the service manager of the Wine prefix in which it runs.
     make NAME FILE [stubborn]   NAME becomes a service (or its program this one) that keeps FILE open; a stubborn one takes no "stop"
     start NAME | stop NAME      and waits for it
     set NAME START              its start type
     show NAME                   prints start type and state
     restart NAME SECONDS        starts it again and again, as other programs do
     hold FILE SECONDS           keeps a file open without being a service
     adopt NAME | adopt all      the manager takes over what the registry says of a service, or of all, and forgets those that are not there
     deny KEY | allow KEY        a key of HKEY_LOCAL_MACHINE that nobody may write, and back
     run NAME FILE [stubborn]    what the manager calls */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static SERVICE_STATUS_HANDLE handle;
static HANDLE ended;
static const char *name, *file;
static int stubborn;

static void fail(const char *what) { fprintf(stderr, "%s: error %lu\n", what, GetLastError()); exit(1); }

static void tell(DWORD state) {
    SERVICE_STATUS status = { SERVICE_WIN32_OWN_PROCESS, state, stubborn ? 0 : SERVICE_ACCEPT_STOP, 0, 0, 0, 0 };
    if (state == SERVICE_START_PENDING) status.dwControlsAccepted = 0;
    SetServiceStatus(handle, &status);
}

static void WINAPI control(DWORD what) {
    if (what == SERVICE_CONTROL_STOP && !stubborn) { tell(SERVICE_STOP_PENDING); SetEvent(ended); }
}

static HANDLE held(const char *path) {
    HANDLE there;
    DWORD written;
    char above[MAX_PATH];
    strcpy(above, path);
    *strrchr(above, '\\') = 0;
    CreateDirectoryA(above, NULL);
    there = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, 0, NULL);
    if (there != INVALID_HANDLE_VALUE) WriteFile(there, "held", 4, &written, NULL);
    return there;
}

static void WINAPI service(DWORD count, char **words) {
    HANDLE there;
    handle = RegisterServiceCtrlHandlerA(name, control);
    ended = CreateEventA(NULL, TRUE, FALSE, NULL);
    tell(SERVICE_START_PENDING);
    there = held(file);
    tell(SERVICE_RUNNING);
    WaitForSingleObject(ended, INFINITE);
    if (there != INVALID_HANDLE_VALUE) CloseHandle(there);
    tell(SERVICE_STOPPED);
}

static SC_HANDLE opened(const char *which) {
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS), found = OpenServiceA(manager, which, SERVICE_ALL_ACCESS);
    if (!found) fail("open the service");
    return found;
}

static void wait_for(SC_HANDLE which, DWORD wanted) {
    SERVICE_STATUS status;
    for (int tries = 0; tries < 200; tries++) {
        if (QueryServiceStatus(which, &status) && status.dwCurrentState == wanted) return;
        Sleep(50);
    }
    fprintf(stderr, "the state is %lu\n", status.dwCurrentState);
    exit(1);
}

static void secure(const char *key, DWORD rights) {
    SECURITY_DESCRIPTOR security;
    SID_IDENTIFIER_AUTHORITY world = { SECURITY_WORLD_SID_AUTHORITY };
    BYTE list[256];
    PSID everyone;
    HKEY there;
    LONG answer;
    AllocateAndInitializeSid(&world, 1, SECURITY_WORLD_RID, 0, 0, 0, 0, 0, 0, 0, &everyone);
    InitializeAcl((ACL *)list, sizeof list, ACL_REVISION);
    AddAccessAllowedAce((ACL *)list, ACL_REVISION, rights, everyone);
    InitializeSecurityDescriptor(&security, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorDacl(&security, TRUE, (ACL *)list, FALSE);
    answer = RegOpenKeyExA(HKEY_LOCAL_MACHINE, key, 0, WRITE_DAC, &there);
    if (!answer) answer = RegSetKeySecurity(there, DACL_SECURITY_INFORMATION, &security);
    if (answer) { fprintf(stderr, "%s: error %ld\n", key, answer); exit(1); }
}

static char *text_of(HKEY key, const char *value) {
    static char texts[8][4096];
    static int next;
    char *text = texts[next++ % 8];
    DWORD size = 4096 - 2;
    memset(text, 0, 4096);
    return RegQueryValueExA(key, value, NULL, NULL, (BYTE *)text, &size) ? NULL : text;
}

static DWORD number_of(HKEY key, const char *value) {
    DWORD number = SERVICE_NO_CHANGE, size = sizeof number;
    RegQueryValueExA(key, value, NULL, NULL, (BYTE *)&number, &size);
    return number;
}

/* Wine's manager keeps what it once read and writes all of it at every change; Windows writes only what is changed. */
static void adopt(const char *which) {
    static DWORD64 buffer[16384];
    ENUM_SERVICE_STATUSA *all = (ENUM_SERVICE_STATUSA *)buffer;
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    DWORD needed, found, more = 0;
    if (!EnumServicesStatusA(manager, SERVICE_WIN32, SERVICE_STATE_ALL, all, sizeof buffer, &needed, &found, &more)) fail("list the services");
    for (DWORD at = 0; at < found; at++) {
        char path[512];
        HKEY key;
        SC_HANDLE one;
        if (strcmp(which, "all") && lstrcmpiA(which, all[at].lpServiceName)) continue;
        one = OpenServiceA(manager, all[at].lpServiceName, SERVICE_ALL_ACCESS);
        snprintf(path, sizeof path, "SYSTEM\\CurrentControlSet\\Services\\%s", all[at].lpServiceName);
        if (RegOpenKeyExA(HKEY_LOCAL_MACHINE, path, 0, KEY_READ, &key)) {
            DeleteService(one);
        } else {
            char *needs = text_of(key, "DependOnService"), *program = text_of(key, "ImagePath");
            DWORD start = number_of(key, "Start");
            if (start >= SERVICE_AUTO_START && start <= SERVICE_DISABLED)
                ChangeServiceConfigA(one, number_of(key, "Type"), start, number_of(key, "ErrorControl"), program, NULL, NULL, needs ? needs : "\0", NULL, NULL, text_of(key, "DisplayName"));
            RegCloseKey(key);
        }
        CloseServiceHandle(one);
    }
}

int main(int count, char **words) {
    const char *word = count > 2 ? words[1] : "";
    name = count > 2 ? words[2] : "";
    if (!GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version")) { fputs("this is for Wine only\n", stderr); return 2; }
    if (!strcmp(word, "run")) {
        SERVICE_TABLE_ENTRYA table[] = { { (char *)name, service }, { NULL, NULL } };
        file = words[3];
        stubborn = count > 4;
        return !StartServiceCtrlDispatcherA(table);
    }
    if (!strcmp(word, "make")) {
        SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS), found;
        char self[MAX_PATH], program[1024];
        GetModuleFileNameA(NULL, self, sizeof self);
        snprintf(program, sizeof program, "%s run %s %s%s", self, name, words[3], count > 4 ? " stubborn" : "");
        found = OpenServiceA(manager, name, SERVICE_ALL_ACCESS);
        if (found) {
            if (!ChangeServiceConfigA(found, SERVICE_WIN32_OWN_PROCESS, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, program, NULL, NULL, NULL, NULL, NULL, NULL)) fail("change the service");
        } else if (!CreateServiceA(manager, name, name, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, program, NULL, NULL, NULL, NULL, NULL)) fail("make the service");
    } else if (!strcmp(word, "start")) {
        SC_HANDLE found = opened(name);
        if (!StartServiceA(found, 0, NULL)) fail("start the service");
        wait_for(found, SERVICE_RUNNING);
    } else if (!strcmp(word, "stop")) {
        SERVICE_STATUS status;
        SC_HANDLE found = opened(name);
        ControlService(found, SERVICE_CONTROL_STOP, &status);
        wait_for(found, SERVICE_STOPPED);
    } else if (!strcmp(word, "set")) {
        if (!ChangeServiceConfigA(opened(name), SERVICE_NO_CHANGE, strtoul(words[3], NULL, 10), SERVICE_NO_CHANGE, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) fail("change the service");
    } else if (!strcmp(word, "show")) {
        DWORD64 buffer[512];
        QUERY_SERVICE_CONFIGA *config = (QUERY_SERVICE_CONFIGA *)buffer;
        SERVICE_STATUS status;
        DWORD needed;
        SC_HANDLE found = opened(name);
        if (!QueryServiceConfigA(found, config, sizeof buffer, &needed) || !QueryServiceStatus(found, &status)) fail("ask about the service");
        printf("%lu %lu\n", config->dwStartType, status.dwCurrentState);
    } else if (!strcmp(word, "restart")) {
        SC_HANDLE found = opened(name);
        for (DWORD until = GetTickCount() + 1000 * strtoul(words[3], NULL, 10); GetTickCount() < until; Sleep(5)) StartServiceA(found, 0, NULL);
    } else if (!strcmp(word, "hold")) {
        if (CreateFileA(words[2], GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE) fail("hold the file");
        puts("held");
        fflush(stdout);
        Sleep(1000 * strtoul(words[3], NULL, 10));
    } else if (!strcmp(word, "adopt")) {
        adopt(name);
    } else if (!strcmp(word, "deny")) {
        secure(words[2], KEY_READ | WRITE_DAC);
    } else if (!strcmp(word, "allow")) {
        secure(words[2], KEY_ALL_ACCESS);
    } else {
        fputs("which word?\n", stderr);
        return 2;
    }
    return 0;
}
