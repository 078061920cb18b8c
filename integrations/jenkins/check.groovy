// Carries the step out as Jenkins would, with stand-ins of Jenkins' own steps, a real shell and the real program, by Groovy 2.4, which is
// Jenkins' own: `groovy integrations/jenkins/check.groovy regreen`, in an empty folder. Started by packaging/check.
import groovy.json.JsonSlurper

def step = new File(getClass().protectionDomain.codeSource.location.path).parentFile.path + '/vars/regreen.groovy'
def program = new File(args[0]).absoluteFile
def here = new File('.').absoluteFile

class Failed extends Exception {
    Failed(String why) { super(why) }
}

def binding = new Binding()
def said = []
def path = "${program.parent}:${System.getenv('PATH')}".toString()
binding.echo = { String words -> said << words }
binding.sh = { Map how ->
    def builder = new ProcessBuilder('sh', '-e', '-c', how.script as String).directory(here).redirectErrorStream(true)
    builder.environment().putAll(PATH: path, HOME: here.path, CI: 'true')
    def process = builder.start()
    process.inputStream.text
    def status = process.waitFor()
    if (how.returnStatus) return status
    if (status != 0) throw new Failed("script returned exit code ${status}")
    null
}
binding.fileExists = { String name -> new File(here, name).exists() }
binding.readJSON = { Map how -> new JsonSlurper().parse(new File(here, how.file as String)) }
binding.error = { String why -> throw new Failed(why) }
def regreen = new GroovyShell(binding).parse(new File(step))

// What ends well tells nothing, also where something failed before it.
def failed = { List<String> words ->
    try {
        regreen.call(words)
    } catch (Failed e) {
        return e.message
    }
    throw new AssertionError("it passed: ${words}" as Object)
}
def code = "echo 'error[E0425]: cannot find value `x` in this scope'; echo ' --> src/a.rs:3:1'; " +
    "echo 'error: could not compile `a` (lib) due to 1 previous error'; exit 7"
def why = failed(['sh', '-c', code])
assert why.startsWith("sh -c ${code} ended with 7: code: ")
assert regreen.call(['true']) == null

// No word is the shell's to read.
def hostile = "a'b \$(touch planted) `touch planted` \"c\" *"
regreen.call(['sh', '-c', 'printf %s "$1" > got', 'x', hostile])
assert new File(here, 'got').text == hostile
assert !new File(here, 'planted').exists()

// The options are the program's.
assert failed(['sh', '-c', code]).contains(' code: ')
def refused = null
try {
    regreen.call(['true'], mode: 'nonsense')
} catch (Failed e) {
    refused = e.message
}
assert refused?.contains('not diagnosed')
// Where the agent has none, or one that does not start, the command's own end stands.
assert said.isEmpty()
for (folder in ['/nowhere', here.path + '/broken']) {
    path = "${folder}:/usr/bin:/bin".toString()
    new File(here, 'broken').mkdir()
    new File(here, 'broken/regreen').with { text = '#!/bin/sh\nexit 5\n'; executable = true }
    said.clear()
    assert failed(['sh', '-c', 'exit 7']) == 'sh -c exit 7 ended with 7: not diagnosed'
    assert regreen.call(['true']) == null
    assert said.size() == 2 && said.every { it.contains('the command runs without it') }
}
println "packages: Jenkins' step runs by Groovy ${GroovySystem.version}"
