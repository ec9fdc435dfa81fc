# A smoke test of hresolve.exe on a real Windows, for people who have one. NOT YET RUN on any: it was written without a Windows at hand.
#
#     powershell -ExecutionPolicy Bypass -File tools\smoke.ps1 -Program C:\path\to\hresolve.exe
#
# It needs no administrator rights. First it only reads; then it works in a practice folder below the temporary folder, which it removes
# again. Nothing else on this computer is changed. At the end it shows a summary and writes it into hresolve-smoke.txt in the temporary
# folder, or where -Summary says; it holds the version of Windows and the outcome of each check. Look through it before you
# send it.
#
# Written for PowerShell 2, which Windows 7 has.
param(
    [string]$Program = '.\hresolve.exe',
    [string]$Summary = ''
)
$ErrorActionPreference = 'Stop'

if (-not (Test-Path -LiteralPath $Program)) {
    Write-Host "There is no file $Program. Say where hresolve.exe is: -Program C:\path\to\hresolve.exe"
    exit 2
}
$Program = (Resolve-Path -LiteralPath $Program).ProviderPath
$work = Join-Path ([IO.Path]::GetTempPath()) ('hresolve-smoke-' + [Guid]::NewGuid().ToString('N').Substring(0, 8))
[void][IO.Directory]::CreateDirectory($work)
$machine = Join-Path $work 'machine'
$lines = New-Object System.Collections.ArrayList
$counts = @{ 'PASS' = 0; 'FAIL' = 0; 'SKIP' = 0 }

function Say([string]$line) {
    Write-Host $line
    [void]$lines.Add($line)
}

function Outcome([string]$state, [string]$name, [string]$why) {
    $counts[$state] = $counts[$state] + 1
    if ($why) { Say ('{0} {1}: {2}' -f $state, $name, $why) } else { Say ('{0} {1}' -f $state, $name) }
}

# One argument as the C library reads it: in quotes. None of those used here holds a quote or ends with a backslash.
function Quoted([string]$argument) { '"' + $argument + '"' }

# Runs the program without a terminal; gives exit code, both outputs and milliseconds. cmd does the redirections, because PowerShell 2
# turns what a program writes to standard error into errors of its own.
function Run([string[]]$arguments) {
    $out = Join-Path $work 'out.txt'
    $err = Join-Path $work 'err.txt'
    $words = @($arguments | ForEach-Object { Quoted $_ }) -join ' '
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = Join-Path ([Environment]::SystemDirectory) 'cmd.exe'
    $start.Arguments = '/d /s /c "' + (Quoted $Program) + ' ' + $words + ' >' + (Quoted $out) + ' 2>' + (Quoted $err) + ' <nul"'
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $process = [Diagnostics.Process]::Start($start)
    # A program that asks something without a terminal would wait for ever.
    if (-not $process.WaitForExit(300000)) {
        $process.Kill()
        return @{ Exit = -1; Out = ''; Err = 'it did not end within five minutes'; Time = $watch.ElapsedMilliseconds }
    }
    $time = $watch.ElapsedMilliseconds
    $utf8 = New-Object System.Text.UTF8Encoding $false
    return @{
        Exit = $process.ExitCode
        Out  = [IO.File]::ReadAllText($out, $utf8)
        Err  = [IO.File]::ReadAllText($err, $utf8)
        Time = $time
    }
}

# The run must end with one of these codes and say these words; it is skipped where this version does not offer it (exit 2).
function Check([string]$name, [string[]]$arguments, [int[]]$exits, [string]$says, [bool]$mayBeMissing) {
    $ran = Run $arguments
    if ($mayBeMissing -and $ran.Exit -eq 2) {
        Outcome 'SKIP' $name 'this version does not offer it'
        return $ran
    }
    if ($exits -notcontains $ran.Exit) {
        $first = ($ran.Err + $ran.Out).Trim().Replace($work, '(the working folder)').Replace($env:USERPROFILE, '(the profile)')
        if ($first.Length -gt 300) { $first = $first.Substring(0, 300) }
        Outcome 'FAIL' $name ('exit {0} instead of {1}: {2}' -f $ran.Exit, ($exits -join ' or '), $first)
    } elseif ($says -and -not $ran.Out.Contains($says)) {
        Outcome 'FAIL' $name ('it does not say "{0}"' -f $says)
    } else {
        Outcome 'PASS' $name ('{0} ms' -f $ran.Time)
    }
    return $ran
}

# Path, time of last write and SHA-256 of every file of the practice machine but the kept runs.
function Fingerprint {
    $sha = [Security.Cryptography.SHA256]::Create()
    $all = New-Object System.Collections.ArrayList
    foreach ($file in [IO.Directory]::GetFiles($machine, '*', [IO.SearchOption]::AllDirectories)) {
        $name = $file.Substring($machine.Length + 1)
        if ($name.StartsWith('ProgramData\hresolve\', [StringComparison]::OrdinalIgnoreCase)) { continue }
        $sum = [BitConverter]::ToString($sha.ComputeHash([IO.File]::ReadAllBytes($file)))
        [void]$all.Add(('{0} {1} {2}' -f $name, [IO.File]::GetLastWriteTimeUtc($file).Ticks, $sum))
    }
    $all.Sort()
    return ($all.ToArray() -join "`n")
}

try {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $administrator = (New-Object Security.Principal.WindowsPrincipal $identity).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    $sum = [BitConverter]::ToString([Security.Cryptography.SHA256]::Create().ComputeHash([IO.File]::ReadAllBytes($Program))).Replace('-', '').ToLower()
    Say ('Windows {0}, PowerShell {1}, administrator: {2}' -f [Environment]::OSVersion.Version, $PSVersionTable.PSVersion, $administrator)
    Say ('hresolve.exe: {0} bytes, sha256 {1}' -f (New-Object IO.FileInfo $Program).Length, $sum)

    Say ''
    Say 'Reading only'
    [void](Check 'version' @('--version') @(0) 'hresolve' $false)
    [void](Check 'help' @('--help') @(0) 'diagnose' $false)
    [void](Check 'explain' @('explain', '0x80070002') @(0) 'ERROR_FILE_NOT_FOUND' $false)
    $fastest = 0
    foreach ($round in 1..5) {
        $ran = Run @('explain', '0x80070002')
        if ($fastest -eq 0 -or $ran.Time -lt $fastest) { $fastest = $ran.Time }
    }
    Say ('     the fastest of five calls of explain, with the start of cmd: {0} ms' -f $fastest)
    $json = Check 'explain --json' @('explain', '--json', '0x80240017') @(0) 'hresolve/explanation/' $false
    if ($json.Err -ne '') { Outcome 'FAIL' 'explain --json, nothing beside it' $json.Err.Trim() } else { Outcome 'PASS' 'explain --json, nothing beside it' '' }
    [void](Check 'a wrong option' @('--no-such-option') @(2) '' $false)
    [void](Check 'a folder without Windows' @('diagnose', $work) @(3) '' $false)
    [void](Check 'the drives of this computer' @('targets') @(0) '' $true)
    [void](Check 'diagnose the running Windows' @('diagnose', '--json', 'live') @(0, 1, 4) 'hresolve/diagnosis/' $true)

    Say ''
    Say 'In a practice folder'
    [void](Check 'build' @('lab', 'build', 'three-faults-10', '-o', $machine) @(0) '' $false)
    $before = Fingerprint
    [void](Check 'diagnose' @('diagnose', '--json', '--target', $machine) @(1) '"verdict": "faulty"' $false)
    if ((Fingerprint) -ceq $before) { Outcome 'PASS' 'diagnose changed nothing' '' } else { Outcome 'FAIL' 'diagnose changed nothing' 'files differ' }
    [void](Check 'fix --yes' @('fix', '--yes', '--json', '--target', $machine) @(0) '"verdict": "repaired"' $false)
    if ((Fingerprint) -cne $before) { Outcome 'PASS' 'fix changed something' '' } else { Outcome 'FAIL' 'fix changed something' 'every file is as before' }
    [void](Check 'diagnose after the repair' @('diagnose', '--json', '--target', $machine) @(0, 4) '' $false)
    [void](Check 'runs' @('runs', '--target', $machine) @(0) '' $false)
    [void](Check 'undo' @('undo', '--json', '--target', $machine) @(0) '"verdict": "undone"' $false)
    if ((Fingerprint) -ceq $before) { Outcome 'PASS' 'undo gave every file back' '' } else { Outcome 'FAIL' 'undo gave every file back' 'files differ' }
} catch {
    Outcome 'FAIL' 'the script itself' ('{0}' -f $_)
} finally {
    if (Test-Path -LiteralPath $work) { Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction SilentlyContinue }
}

Say ''
Say ('{0} passed, {1} failed, {2} skipped' -f $counts['PASS'], $counts['FAIL'], $counts['SKIP'])
# .NET has a current folder of its own, which is not the one of PowerShell.
if (-not $Summary) { $Summary = Join-Path ([IO.Path]::GetTempPath()) 'hresolve-smoke.txt' }
$Summary = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Summary)
[IO.File]::WriteAllLines($Summary, [string[]]$lines.ToArray([string]))
Write-Host "The summary, to be sent back: $Summary"
if ($counts['FAIL'] -gt 0) { exit 1 }
exit 0
