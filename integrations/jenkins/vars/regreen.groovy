// A step of a Jenkins shared library: `regreen(['npm', 'ci'])`, or `regreen(['npm', 'ci'], mode: 'suggest')`.
//
// The words of the command reach no shell. `regreen` is on the agent's PATH (integrations/install.sh puts it somewhere); where it is
// not, or does not start, the command runs without it. It gives back what came of it: verdict, class, confidence, outcome, incident;
// null where the command ended well by itself. A failure that was not healed fails the step, as `sh` does.
def call(Map options = [:], List<String> command) {
    def words = []
    if (sh(script: 'regreen --version > /dev/null', label: 'regreen: look', returnStatus: true) == 0) {
        words += ['regreen', 'run', '--report', 'regreen-report.json']
        if (options.mode) {
            words += ['--mode', options.mode]
        }
        if (options.server) {
            words += ['--server', options.server]
        }
        words += ['--']
    } else {
        echo 'regreen: warning: it is not on this agent: the command runs without it, and nothing is diagnosed'
    }
    words += command
    sh(script: 'rm -f regreen-report.json', label: 'regreen: clear')
    int code = sh(
        script: words.collect { "'" + it.toString().replace("'", "'\\''") + "'" }.join(' '),
        label: words[0] == 'regreen' ? 'regreen run' : 'run without regreen',
        returnStatus: true
    )
    def report = fileExists('regreen-report.json') ? readJSON(file: 'regreen-report.json') : null
    if (code != 0) {
        def why = report ? "${report.verdict}: ${report['class']} (${report.confidence})" : 'not diagnosed'
        error("${command.join(' ')} ended with ${code}: ${why}")
    }
    return report
}
