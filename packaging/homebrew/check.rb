# Reads the formula that `cargo xtask dist` has filled in and carries it out with a stand-in of Homebrew, which no registry has:
# what is fetched is the archive that lies there and has the checksum that the formula says; its files go where the formula
# puts them; its own test runs. Started by packaging/check: ruby packaging/homebrew/check.rb target/dist
require "digest"
require "etc"
require "fileutils"
require "open3"
require "pathname"
require "tmpdir"

DIST = Pathname.new(ARGV.fetch(0)).realpath
ARCH = Etc.uname[:machine]
PREFIX = Pathname.new(Dir.mktmpdir("regreen-formula-"))
at_exit { FileUtils.rm_rf(PREFIX) }

# A folder of the installed formula.
class Folder
  def initialize(path) = @path = PREFIX / path

  def to_s = @path.to_s

  def install(*what)
    FileUtils.mkdir_p(@path)
    pairs = what.flatten.flat_map { |one| one.is_a?(Hash) ? one.to_a : [[one, File.basename(one)]] }
    abort "nothing to install into #{@path}" if pairs.empty?
    pairs.each { |from, to| FileUtils.cp(from, @path / to) }
  end
end

# The words of a formula that this one uses; another one is an error.
class Formula
  class << self
    attr_reader :facts, :tried

    def inherited(formula)
      super
      formula.instance_variable_set(:@facts, {})
      (@formulas ||= []) << formula
    end

    def formulas = @formulas

    %i[desc homepage version license depends_on url sha256].each do |word|
      define_method(word) { |value = nil| value ? @facts[word] = value : @facts[word] }
    end

    def on_intel = (yield if ARCH == "x86_64")
    def on_arm = (yield if ARCH == "aarch64")
    def test(&block) = @tried = block
  end

  def version = self.class.version
  def bin = Folder.new("bin")
  def man1 = Folder.new("share/man/man1")
  def bash_completion = Folder.new("etc/bash_completion.d")
  def zsh_completion = Folder.new("share/zsh/site-functions")
  def fish_completion = Folder.new("share/fish/vendor_completions.d")

  def shell_output(command)
    out, status = Open3.capture2(command)
    status.success? ? out : abort("#{command}: #{status}")
  end

  def assert_match(expected, text)
    abort "#{text.inspect} has no #{expected.inspect}" unless text.match?(expected)
  end
end

text = (DIST / "regreen.rb").read
load (DIST / "regreen.rb").to_s
formula = Formula.formulas.first
facts = formula.facts
missing = %i[desc homepage version license url sha256] - facts.keys
abort "the formula does not say #{missing.join(", ")}" unless missing.empty?
# As `brew audit` has it.
abort "desc is longer than 80 characters" if facts[:desc].length > 80
abort "desc begins with an article, or ends with a full stop" if facts[:desc].match?(/\A(A|An|The) |\.\z/)

archive = DIST / File.basename(facts[:url])
abort "#{facts[:url]}: dist has made no such archive" unless archive.file?
sum = Digest::SHA256.file(archive).hexdigest
abort "the formula's checksum of #{archive.basename} is #{facts[:sha256]}, not #{sum}" unless sum == facts[:sha256]
other = text.scan(%r{/(regreen-[^/"]*\.tar\.gz)"\s+sha256 "([^"]*)"}).find { |name, _| name != archive.basename.to_s }
told = "and of the other processor nothing"
if (DIST / other[0]).file?
  abort "#{other[0]} has another checksum" unless Digest::SHA256.file(DIST / other[0]).hexdigest == other[1]
  told = "and of the other processor by its checksum"
end

Dir.mktmpdir do |folder|
  # Homebrew goes into the only folder of an archive.
  abort "tar: #{archive}" unless system("tar", "-xzf", archive.to_s, "-C", folder)
  Dir.chdir(Dir.glob("#{folder}/*").first) { formula.new.install }
end
formula.new.instance_eval(&formula.tried)
installed = Dir.glob("#{PREFIX}/**/*").select { |path| File.file?(path) }
%w[bin/regreen share/man/man1/regreen.1 share/man/man1/regreen-run.1 etc/bash_completion.d/regreen
   share/zsh/site-functions/_regreen share/fish/vendor_completions.d/regreen.fish].each do |path|
  abort "the formula does not install #{path}" unless installed.include?("#{PREFIX}/#{path}")
end
puts "packages: the formula installs #{installed.size} files and passes its test (#{ARCH}, #{told})"
