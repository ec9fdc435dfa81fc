/* Stands for the Windows Update Agent under Wine: an in-process COM server, written against the header of mingw-w64 and not against the
   bindings of hresolve. C:\doubles\agent.txt says what it does, a line each; what it was called with is added to C:\doubles\agent-called.txt.

     history SECONDS OPERATION RESULT HRESULT UNMAPPED ID TITLE     one entry, the newest first; seconds since 1970 UTC
     update ID KB INSTALLED HIDDEN LICENCE ASKS TITLE               one update; licence: it must be accepted; asks: it may ask for input
     sick HRESULT          every call that needs the service fails with it
     slow                  reading the history never comes back
     search|download|install ok|hangs|deaf|HRESULT                  how the job ends; hangs: only when told to stop, deaf: not even then
     install restart|lies|partly                                    wants a restart; says that all is well and installs nothing; partly
     busy | restart-first | part                                    what the installer and the search say
   Numbers are decimal, codes hexadecimal. Titles are not English on purpose. */
#define COBJMACROS
#define INITGUID
#include <windows.h>
#include <oleauto.h>
#include <stdio.h>
#include <string.h>
#include <wuapi.h>

DEFINE_GUID(CLSID_Collection, 0x13639463, 0x00db, 0x4646, 0x80, 0x3d, 0x52, 0x80, 0x26, 0x14, 0x0d, 0x88);
/* The header has no callbacks; these are the identifiers of the published wuapi.idl. */
DEFINE_GUID(IID_Searched, 0x88aee058, 0xd4b0, 0x4725, 0xa2, 0xf1, 0x81, 0x4a, 0x67, 0xae, 0x96, 0x4c);
DEFINE_GUID(IID_Downloading, 0x8c3f1cdd, 0x6173, 0x4591, 0xae, 0xbd, 0xa5, 0x6a, 0x53, 0xca, 0x77, 0xc1);
DEFINE_GUID(IID_Downloaded, 0x77254866, 0x9f5b, 0x4c8e, 0xb9, 0xe2, 0xc7, 0x7a, 0x85, 0x30, 0xd6, 0x4b);
DEFINE_GUID(IID_Installing, 0xe01402d5, 0xf8da, 0x43ba, 0xa0, 0x12, 0x38, 0x89, 0x4b, 0xd0, 0x48, 0xf1);
DEFINE_GUID(IID_Installed, 0x45f4f6f3, 0xd602, 0x4f98, 0x9a, 0x8a, 0x3e, 0xfa, 0x15, 0x2a, 0xd2, 0xd3);

#define CALL STDMETHODCALLTYPE
#define MOST 16
#define COMMANDS "C:\\doubles\\agent.txt"

/* Every object: its functions, how many hold it, as what it may be asked for, and what it is about. */
typedef struct object {
    const void *table;
    LONG held;
    const IID *as;
    int number, kind;
    LONG complete, aborted, percent;
    HRESULT end;
    IUnknown *tells, *completes;
    struct object *items[MOST];
    int count;
    wchar_t id[64], title[200], article[16];
    int installed, hidden, licence, asks, operation, result;
    HRESULT code;
    long unmapped;
    double when;
    wchar_t criteria[400];
} object;

enum { SEARCH, DOWNLOAD, INSTALL };
static const char *const JOBS[] = {"search", "download", "install"};

static void log_call(const char *text) {
    FILE *file = fopen("C:\\doubles\\agent-called.txt", "ab");
    if (file) { fprintf(file, "%s\n", text); fclose(file); }
}

static void log_wide(const char *what, const wchar_t *text) {
    char line[600];
    snprintf(line, sizeof line, "%s %ls", what, text ? text : L"");
    log_call(line);
}

/* The rest of the first line that begins with this word; 0 when there is none. */
static int command(const char *word, char *rest, size_t room) {
    FILE *file = fopen(COMMANDS, "rb");
    char line[600];
    size_t length = strlen(word);
    int found = 0;
    *rest = 0;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (strncmp(line, word, length) == 0 && (line[length] == ' ' || !line[length])) {
            snprintf(rest, room, "%s", line[length] ? line + length + 1 : "");
            found = 1;
        }
    }
    if (file) fclose(file);
    return found;
}

static HRESULT sick(void) {
    char rest[64];
    return command("sick", rest, sizeof rest) ? (HRESULT)strtoul(rest, NULL, 16) : S_OK;
}

static object *make(const void *table, const IID *as) {
    object *made = calloc(1, sizeof *made);
    made->table = table;
    made->held = 1;
    made->as = as;
    return made;
}

static HRESULT CALL query(void *self, REFIID as, void **out) {
    object *this = self;
    if (IsEqualIID(as, &IID_IUnknown) || IsEqualIID(as, &IID_IDispatch) || IsEqualIID(as, this->as)) {
        InterlockedIncrement(&this->held);
        *out = self;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}
static ULONG CALL hold(void *self) { return InterlockedIncrement(&((object *)self)->held); }
/* Nothing is given back: the program ends soon, and who holds too little is seen by a count below 0. */
static ULONG CALL let_go(void *self) {
    LONG held = InterlockedDecrement(&((object *)self)->held);
    if (held < 0) log_call("FREED TWICE");
    return held;
}
static HRESULT CALL no_dispatch(void) { log_call("DISPATCH"); return E_NOTIMPL; }

#define UNKNOWN .QueryInterface = (void *)query, .AddRef = (void *)hold, .Release = (void *)let_go
#define DISPATCH UNKNOWN, .GetTypeInfoCount = (void *)no_dispatch, .GetTypeInfo = (void *)no_dispatch, .GetIDsOfNames = (void *)no_dispatch, \
    .Invoke = (void *)no_dispatch
#define SELF ((object *)self)

static HRESULT text(const wchar_t *from, BSTR *out) { *out = SysAllocString(from); return S_OK; }
static HRESULT CALL zero(void *self, LONG *out) { (void)self; *out = 0; return S_OK; }

/* Texts: the articles of an update. */
static HRESULT CALL texts_count(void *self, LONG *out) { *out = SELF->article[0] ? 2 : 0; return S_OK; }
static HRESULT CALL texts_item(void *self, LONG at, BSTR *out) {
    if (at < 0 || at > 1) return DISP_E_BADINDEX;
    return text(at == 0 ? L"1000001" : SELF->article, out);
}
static const IStringCollectionVtbl texts = {DISPATCH, .get_Count = (void *)texts_count, .get_Item = (void *)texts_item};

static HRESULT CALL identity_id(void *self, BSTR *out) { return text(SELF->id, out); }
static const IUpdateIdentityVtbl identity = {DISPATCH, .get_UpdateID = (void *)identity_id, .get_RevisionNumber = (void *)zero};
static HRESULT named(object *of, void **out) {
    object *made = make(&identity, &IID_IUpdateIdentity);
    wcscpy(made->id, of->id);
    *out = made;
    return S_OK;
}

/* The history. */
static HRESULT CALL entry_operation(void *self, LONG *out) { *out = SELF->operation; return S_OK; }
static HRESULT CALL entry_result(void *self, LONG *out) { *out = SELF->result; return S_OK; }
static HRESULT CALL entry_code(void *self, LONG *out) { *out = SELF->code; return S_OK; }
static HRESULT CALL entry_unmapped(void *self, LONG *out) { *out = SELF->unmapped; return S_OK; }
static HRESULT CALL entry_date(void *self, DATE *out) { *out = SELF->when; return S_OK; }
static HRESULT CALL entry_identity(void *self, void **out) { return named(self, out); }
static HRESULT CALL entry_title(void *self, BSTR *out) { return text(SELF->title, out); }
static const IUpdateHistoryEntryVtbl entry = {DISPATCH, .get_Operation = (void *)entry_operation, .get_ResultCode = (void *)entry_result,
    .get_HResult = (void *)entry_code, .get_Date = (void *)entry_date, .get_UpdateIdentity = (void *)entry_identity, .get_Title = (void *)entry_title,
    .get_UnmappedResultCode = (void *)entry_unmapped};

static HRESULT CALL entries_count(void *self, LONG *out) { *out = SELF->count; return S_OK; }
static HRESULT CALL entries_item(void *self, LONG at, void **out) {
    if (at < 0 || at >= SELF->count) return DISP_E_BADINDEX;
    hold(*out = SELF->items[at]);
    return S_OK;
}
static const IUpdateHistoryEntryCollectionVtbl entries = {DISPATCH, .get_Count = (void *)entries_count, .get_Item = (void *)entries_item};

static void widen(wchar_t *to, const char *from, int room) { MultiByteToWideChar(CP_UTF8, 0, from, -1, to, room); }

static object *history(void) {
    object *made = make(&entries, &IID_IUpdateHistoryEntryCollection);
    FILE *file = fopen(COMMANDS, "rb");
    char line[600], id[64], title[300];
    while (file && fgets(line, sizeof line, file)) {
        long long seconds;
        unsigned code;
        int operation, result;
        long unmapped;
        line[strcspn(line, "\r\n")] = 0;
        if (sscanf(line, "history %lld %d %d %x %ld %63s %299[^\n]", &seconds, &operation, &result, &code, &unmapped, id, title) == 7 && made->count < MOST) {
            object *one = make(&entry, &IID_IUpdateHistoryEntry);
            one->operation = operation; one->result = result; one->code = (HRESULT)code; one->unmapped = unmapped;
            one->when = 25569.0 + seconds / 86400.0;
            widen(one->id, id, 64);
            widen(one->title, title, 200);
            made->items[made->count++] = one;
        }
    }
    if (file) fclose(file);
    return made;
}

/* An update. */
static HRESULT CALL update_title(void *self, BSTR *out) { return text(SELF->title, out); }
static HRESULT CALL update_identity(void *self, void **out) { return named(self, out); }
static HRESULT CALL update_installed(void *self, VARIANT_BOOL *out) { *out = SELF->installed ? VARIANT_TRUE : VARIANT_FALSE; return S_OK; }
static HRESULT CALL update_hidden(void *self, VARIANT_BOOL *out) { *out = SELF->hidden ? VARIANT_TRUE : VARIANT_FALSE; return S_OK; }
static HRESULT CALL update_hide(void *self, VARIANT_BOOL to) { (void)self; (void)to; log_call("HIDDEN OR SHOWN"); return S_OK; }
static HRESULT CALL update_downloaded(void *self, VARIANT_BOOL *out) { (void)self; *out = VARIANT_FALSE; return S_OK; }
static HRESULT CALL update_accepted(void *self, VARIANT_BOOL *out) { *out = SELF->licence ? VARIANT_FALSE : VARIANT_TRUE; return S_OK; }
static HRESULT CALL update_accept(void *self) { log_wide("licence accepted", SELF->id); SELF->licence = 0; return S_OK; }
static HRESULT CALL update_action(void *self, LONG *out) { (void)self; *out = daInstallation; return S_OK; }
static HRESULT CALL update_articles(void *self, void **out) {
    object *made = make(&texts, &IID_IStringCollection);
    wcscpy(made->article, SELF->article);
    *out = made;
    return S_OK;
}
static HRESULT CALL behaviour_asks(void *self, VARIANT_BOOL *out) { *out = SELF->asks ? VARIANT_TRUE : VARIANT_FALSE; return S_OK; }
static const IInstallationBehaviorVtbl behaviour = {DISPATCH, .get_CanRequestUserInput = (void *)behaviour_asks};
static HRESULT CALL update_behaviour(void *self, void **out) {
    object *made = make(&behaviour, &IID_IInstallationBehavior);
    made->asks = SELF->asks;
    *out = made;
    return S_OK;
}
static const IUpdateVtbl update = {DISPATCH, .get_Title = (void *)update_title, .get_Identity = (void *)update_identity,
    .get_IsInstalled = (void *)update_installed, .get_IsHidden = (void *)update_hidden, .put_IsHidden = (void *)update_hide,
    .get_IsDownloaded = (void *)update_downloaded, .get_EulaAccepted = (void *)update_accepted, .AcceptEula = (void *)update_accept,
    .get_DeploymentAction = (void *)update_action, .get_KBArticleIDs = (void *)update_articles, .get_InstallationBehavior = (void *)update_behaviour};

static HRESULT CALL updates_add(void *self, object *one, LONG *at) {
    if (SELF->count == MOST) return E_OUTOFMEMORY;
    hold(one);
    *at = SELF->count;
    SELF->items[SELF->count++] = one;
    return S_OK;
}
static const IUpdateCollectionVtbl updates = {DISPATCH, .get_Count = (void *)entries_count, .get_Item = (void *)entries_item, .Add = (void *)updates_add};

/* What was installed while this program runs. */
static wchar_t now_installed[64];

static object *search_through(const wchar_t *criteria) {
    object *made = make(&updates, &IID_IUpdateCollection);
    FILE *file = fopen(COMMANDS, "rb");
    char line[600], id[64], article[16], title[300];
    while (file && fgets(line, sizeof line, file)) {
        int installed, hidden, licence, asks;
        wchar_t wanted[100];
        line[strcspn(line, "\r\n")] = 0;
        if (sscanf(line, "update %63s %15s %d %d %d %d %299[^\n]", id, article, &installed, &hidden, &licence, &asks, title) != 7) continue;
        object *one = make(&update, &IID_IUpdate);
        widen(one->id, id, 64);
        widen(one->title, title, 200);
        if (strcmp(article, "-")) widen(one->article, article, 16);
        one->installed = installed || !wcscmp(one->id, now_installed);
        one->hidden = hidden; one->licence = licence; one->asks = asks;
        swprintf(wanted, 100, L"UpdateID='%ls'", one->id);
        if (wcsstr(criteria, L"UpdateID=") && !wcsstr(criteria, wanted)) continue;
        if (wcsstr(criteria, L"IsInstalled=0") && one->installed) continue;
        if (wcsstr(criteria, L"IsInstalled=1") && !one->installed) continue;
        if (made->count < MOST) made->items[made->count++] = one;
    }
    if (file) fclose(file);
    return made;
}

/* Callbacks, and what they are called with. */
typedef struct { struct { HRESULT(CALL *query)(void *, REFIID, void **); ULONG(CALL *hold)(void *); ULONG(CALL *let_go)(void *);
    HRESULT(CALL *invoke)(void *, void *, void *); } *table; } callback;
typedef struct { void *dispatch[7]; void *progress; } said_table;
static HRESULT CALL progress_percent(void *self, LONG *out) { *out = SELF->percent; return S_OK; }
static const IDownloadProgressVtbl download_progress = {DISPATCH, .get_PercentComplete = (void *)progress_percent};
static const IInstallationProgressVtbl install_progress = {DISPATCH, .get_PercentComplete = (void *)progress_percent};
static HRESULT CALL said_progress(void *self, void **out) {
    object *made = SELF->kind == DOWNLOAD ? make(&download_progress, &IID_IDownloadProgress) : make(&install_progress, &IID_IInstallationProgress);
    made->percent = SELF->percent;
    *out = made;
    return S_OK;
}
static const said_table said = {{(void *)query, (void *)hold, (void *)let_go, (void *)no_dispatch, (void *)no_dispatch, (void *)no_dispatch, (void *)no_dispatch},
    (void *)said_progress};

static void tell(object *job, IUnknown *whom, const IID *as, int percent) {
    callback *found = NULL;
    object *made = make(&said, as);
    made->kind = job->kind;
    made->percent = percent;
    if (whom && whom->lpVtbl->QueryInterface(whom, as, (void **)&found) == S_OK) {
        found->table->invoke(found, job, made);
        found->table->let_go(found);
    }
}

/* Jobs: each at work on a thread of its own. */
static HRESULT CALL job_completed(void *self, VARIANT_BOOL *out) { *out = SELF->complete ? VARIANT_TRUE : VARIANT_FALSE; return S_OK; }
static HRESULT CALL job_abort(void *self) {
    char line[40];
    snprintf(line, sizeof line, "%s told to stop", JOBS[SELF->kind]);
    log_call(line);
    InterlockedExchange(&SELF->aborted, 1);
    return S_OK;
}
static HRESULT CALL job_clean_up(void *self) {
    log_call("clean up");
    /* As the real one does: it waits for the end. */
    while (!SELF->complete) Sleep(50);
    return S_OK;
}
static const ISearchJobVtbl search_job = {DISPATCH, .get_IsCompleted = (void *)job_completed, .RequestAbort = (void *)job_abort, .CleanUp = (void *)job_clean_up};
static const IDownloadJobVtbl download_job = {DISPATCH, .get_IsCompleted = (void *)job_completed, .RequestAbort = (void *)job_abort, .CleanUp = (void *)job_clean_up};
static const IInstallationJobVtbl install_job = {DISPATCH, .get_IsCompleted = (void *)job_completed, .RequestAbort = (void *)job_abort, .CleanUp = (void *)job_clean_up};

static DWORD WINAPI at_work(void *parameter) {
    static const IID *const PERCENT[] = {NULL, &IID_Downloading, &IID_Installing}, *const END[] = {&IID_Searched, &IID_Downloaded, &IID_Installed};
    object *job = parameter;
    char mode[64];
    command(JOBS[job->kind], mode, sizeof mode);
    for (int percent = 10; percent <= 100; percent += 45) {
        Sleep(250);
        if (job->kind != SEARCH) {
            tell(job, job->tells, PERCENT[job->kind], percent);
            /* The same again says nothing new. */
            tell(job, job->tells, PERCENT[job->kind], percent);
        }
        while (!strcmp(mode, "deaf") || (!strcmp(mode, "hangs") && !job->aborted)) Sleep(50);
        if (job->aborted) break;
    }
    job->end = strtoul(mode, NULL, 16) & 0x80000000 ? (HRESULT)strtoul(mode, NULL, 16) : S_OK;
    if (job->kind == INSTALL && job->end == S_OK && !job->aborted && strcmp(mode, "lies") && strcmp(mode, "restart")) wcscpy(now_installed, job->id);
    InterlockedExchange(&job->complete, 1);
    tell(job, job->completes, END[job->kind], 100);
    return 0;
}

static HRESULT begin(const void *table, const IID *as, int kind, IUnknown *tells, IUnknown *completes, object *about, void **out) {
    object *job = make(table, as);
    HRESULT code = sick();
    if (FAILED(code)) return code;
    if ((kind != SEARCH && !tells) || !completes) return E_INVALIDARG;
    job->kind = kind;
    job->tells = tells;
    job->completes = completes;
    if (tells) tells->lpVtbl->AddRef(tells);
    completes->lpVtbl->AddRef(completes);
    if (about && about->count) wcscpy(job->id, about->items[0]->id);
    hold(job);
    *out = job;
    CloseHandle(CreateThread(NULL, 0, at_work, job, 0, NULL));
    return S_OK;
}

/* Results. */
static HRESULT CALL result_word(void *self, LONG *out) { *out = SELF->result; return S_OK; }
static HRESULT CALL result_code(void *self, LONG *out) { *out = SELF->code; return S_OK; }
static HRESULT CALL result_restart(void *self, VARIANT_BOOL *out) { *out = SELF->operation ? VARIANT_TRUE : VARIANT_FALSE; return S_OK; }
static const IUpdateDownloadResultVtbl download_own = {DISPATCH, .get_ResultCode = (void *)result_word, .get_HResult = (void *)result_code};
static const IUpdateInstallationResultVtbl install_own = {DISPATCH, .get_ResultCode = (void *)result_word, .get_HResult = (void *)result_code,
    .get_RebootRequired = (void *)result_restart};
static HRESULT CALL result_own(void *self, LONG at, void **out) {
    object *own;
    if (at != 0) return DISP_E_BADINDEX;
    own = SELF->kind == DOWNLOAD ? make(&download_own, &IID_IUpdateDownloadResult) : make(&install_own, &IID_IUpdateInstallationResult);
    own->result = SELF->result; own->operation = SELF->operation;
    own->code = SELF->code;
    *out = own;
    return S_OK;
}
/* The whole says less than the one update: WU_E_..., as a real one. */
static HRESULT CALL result_whole(void *self, LONG *out) { *out = FAILED(SELF->code) ? (LONG)0x80240022 : 0; return S_OK; }
static const IDownloadResultVtbl downloaded = {DISPATCH, .get_ResultCode = (void *)result_word, .get_HResult = (void *)result_whole, .GetUpdateResult = (void *)result_own};
static const IInstallationResultVtbl installed = {DISPATCH, .get_ResultCode = (void *)result_word, .get_HResult = (void *)result_whole,
    .get_RebootRequired = (void *)result_restart, .GetUpdateResult = (void *)result_own};

static object *result(const void *table, const IID *as, object *job) {
    char mode[64];
    object *made = make(table, as);
    command(JOBS[job->kind], mode, sizeof mode);
    made->kind = job->kind;
    made->code = job->end;
    made->result = job->aborted ? orcAborted : FAILED(job->end) ? orcFailed : orcSucceeded;
    made->operation = !strcmp(mode, "restart");
    if (!strcmp(mode, "partly")) { made->result = orcSucceededWithErrors; made->code = (HRESULT)0x80070643; }
    return made;
}

static HRESULT CALL warning_code(void *self, LONG *out) { (void)self; *out = (LONG)0x80240437; return S_OK; }
static const IUpdateExceptionVtbl warning = {DISPATCH, .get_HResult = (void *)warning_code};
static HRESULT CALL warnings_count(void *self, LONG *out) { (void)self; *out = 1; return S_OK; }
static HRESULT CALL warnings_item(void *self, LONG at, void **out) { (void)self; (void)at; *out = make(&warning, &IID_IUpdateException); return S_OK; }
static const IUpdateExceptionCollectionVtbl warnings = {DISPATCH, .get_Count = (void *)warnings_count, .get_Item = (void *)warnings_item};
static HRESULT CALL searched_updates(void *self, void **out) { *out = search_through(SELF->criteria); return S_OK; }
static HRESULT CALL searched_warnings(void *self, void **out) { (void)self; *out = make(&warnings, &IID_IUpdateExceptionCollection); return S_OK; }
static const ISearchResultVtbl searched = {DISPATCH, .get_ResultCode = (void *)result_word, .get_Updates = (void *)searched_updates, .get_Warnings = (void *)searched_warnings};

/* The searcher. */
static HRESULT CALL searcher_count(void *self, LONG *out) { HRESULT code = sick(); (void)self; *out = SUCCEEDED(code) ? history()->count : 0; return code; }
static HRESULT CALL searcher_history(void *self, LONG from, LONG count, void **out) {
    char rest[16];
    HRESULT code = sick();
    object *made = history();
    (void)self;
    if (FAILED(code)) return code;
    if (command("slow", rest, sizeof rest)) Sleep(INFINITE);
    if (from != 0 || count != made->count) { log_call("HISTORY ASKED WRONGLY"); return E_INVALIDARG; }
    *out = made;
    return S_OK;
}
static HRESULT CALL searcher_begin(void *self, BSTR criteria, IUnknown *completes, VARIANT state, object **out) {
    HRESULT code;
    (void)self; (void)state;
    log_wide("search", criteria);
    if (wcsstr(criteria, L"OptionalInstallation")) return (HRESULT)0x80240032;
    code = begin(&search_job, &IID_ISearchJob, SEARCH, NULL, completes, NULL, (void **)out);
    if (SUCCEEDED(code)) wcscpy((*out)->criteria, criteria);
    return code;
}
static HRESULT CALL searcher_end(void *self, object *job, void **out) {
    char rest[16];
    object *made = make(&searched, &IID_ISearchResult);
    (void)self;
    if (!job->complete) log_call("ENDED TOO SOON");
    if (FAILED(job->end)) return job->end;
    made->result = job->aborted ? orcAborted : command("part", rest, sizeof rest) ? orcSucceededWithErrors : orcSucceeded;
    wcscpy(made->criteria, job->criteria);
    *out = made;
    return S_OK;
}
static HRESULT CALL set_selection(void *self, LONG to) { (void)self; (void)to; log_call("SERVER CHANGED"); return S_OK; }
static HRESULT CALL set_flag(void *self, VARIANT_BOOL to) { (void)self; (void)to; log_call("FLAG CHANGED"); return S_OK; }
static const IUpdateSearcherVtbl searcher = {DISPATCH, .GetTotalHistoryCount = (void *)searcher_count, .QueryHistory = (void *)searcher_history,
    .BeginSearch = (void *)searcher_begin, .EndSearch = (void *)searcher_end, .put_ServerSelection = (void *)set_selection, .put_Online = (void *)set_flag};

/* The downloader and the installer. */
static HRESULT CALL set_updates(void *self, object *list) { hold(list); SELF->items[0] = list; return S_OK; }
static HRESULT CALL downloader_begin(void *self, IUnknown *tells, IUnknown *completes, VARIANT state, void **out) {
    (void)state;
    if (!SELF->items[0] || SELF->items[0]->count != 1) { log_call("NOT ONE UPDATE"); return E_INVALIDARG; }
    if (SELF->items[0]->items[0]->licence) return (HRESULT)0x80240023;
    log_wide("download", SELF->items[0]->items[0]->id);
    return begin(&download_job, &IID_IDownloadJob, DOWNLOAD, tells, completes, SELF->items[0], out);
}
static HRESULT CALL downloader_end(void *self, object *job, void **out) { (void)self; *out = result(&downloaded, &IID_IDownloadResult, job); return S_OK; }
static const IUpdateDownloaderVtbl downloader = {DISPATCH, .put_Updates = (void *)set_updates, .BeginDownload = (void *)downloader_begin, .EndDownload = (void *)downloader_end};

static HRESULT CALL installer_begin(void *self, IUnknown *tells, IUnknown *completes, VARIANT state, void **out) {
    (void)state;
    if (!SELF->items[0] || SELF->items[0]->count != 1) { log_call("NOT ONE UPDATE"); return E_INVALIDARG; }
    log_wide("install", SELF->items[0]->items[0]->id);
    return begin(&install_job, &IID_IInstallationJob, INSTALL, tells, completes, SELF->items[0], out);
}
static HRESULT CALL installer_end(void *self, object *job, void **out) { (void)self; *out = result(&installed, &IID_IInstallationResult, job); return S_OK; }
static HRESULT CALL installer_busy(void *self, VARIANT_BOOL *out) { char rest[8]; (void)self; *out = command("busy", rest, sizeof rest) ? VARIANT_TRUE : VARIANT_FALSE; return S_OK; }
static HRESULT CALL installer_restart(void *self, VARIANT_BOOL *out) {
    char rest[8];
    (void)self;
    *out = command("restart-first", rest, sizeof rest) ? VARIANT_TRUE : VARIANT_FALSE;
    return S_OK;
}
static HRESULT CALL installer_prompts(void *self, VARIANT_BOOL to) { (void)self; if (to) log_call("PROMPTS ALLOWED"); return S_OK; }
static const IUpdateInstallerVtbl installer = {DISPATCH, .put_Updates = (void *)set_updates, .BeginInstall = (void *)installer_begin,
    .EndInstall = (void *)installer_end, .get_IsBusy = (void *)installer_busy, .get_RebootRequiredBeforeInstallation = (void *)installer_restart,
    .put_AllowSourcePrompts = (void *)installer_prompts};

/* The session, and how it is made. */
static HRESULT CALL session_caller(void *self, BSTR who) { (void)self; log_wide("caller", who); return S_OK; }
static HRESULT CALL session_searcher(void *self, void **out) { (void)self; *out = make(&searcher, &IID_IUpdateSearcher); return S_OK; }
static HRESULT CALL session_downloader(void *self, void **out) { (void)self; *out = make(&downloader, &IID_IUpdateDownloader); return S_OK; }
static HRESULT CALL session_installer(void *self, void **out) { (void)self; *out = make(&installer, &IID_IUpdateInstaller); return S_OK; }
static const IUpdateSessionVtbl session = {DISPATCH, .put_ClientApplicationID = (void *)session_caller, .CreateUpdateSearcher = (void *)session_searcher,
    .CreateUpdateDownloader = (void *)session_downloader, .CreateUpdateInstaller = (void *)session_installer};

static HRESULT CALL factory_make(void *self, IUnknown *outer, REFIID as, void **out) {
    object *made = SELF->kind ? make(&updates, &IID_IUpdateCollection) : make(&session, &IID_IUpdateSession);
    HRESULT code = outer ? CLASS_E_NOAGGREGATION : query(made, as, out);
    let_go(made);
    return code;
}
static HRESULT CALL factory_lock(void *self, BOOL lock) { (void)self; (void)lock; return S_OK; }
static const IClassFactoryVtbl factory = {UNKNOWN, .CreateInstance = (void *)factory_make, .LockServer = (void *)factory_lock};

HRESULT WINAPI DllGetClassObject(REFCLSID class, REFIID as, void **out) {
    object *made = make(&factory, &IID_IClassFactory);
    made->kind = IsEqualCLSID(class, &CLSID_Collection);
    if (!made->kind && !IsEqualCLSID(class, &CLSID_UpdateSession)) return CLASS_E_CLASSNOTAVAILABLE;
    return query(made, as, out);
}
HRESULT WINAPI DllCanUnloadNow(void) { return S_FALSE; }
