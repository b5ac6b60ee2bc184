import ArgumentParser

struct Completions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the completion script of a shell.",
        discussion: """
            `make install` puts the scripts where the shells look for them. By hand:
              niloctl completions bash > ~/.local/share/bash-completion/completions/niloctl
              niloctl completions zsh > ~/.zfunc/_niloctl
              niloctl completions fish > ~/.config/fish/completions/niloctl.fish
            """)
    @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"])) var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw Exit.say("expected bash, zsh or fish, not \"\(shell)\"", 64)
        }
        Output.print(Niloctl.completionScript(for: shell) + "\n" + (shell == .bash ? Self.wholeWords : ""))
    }

    /// bash breaks words at = and : (COMP_WORDBREAKS), and series names contain both: words are joined before
    /// completion, and only the part after the last break is returned.
    private static let wholeWords = #"""
        _niloctl_whole_words() {
            local -a words=()
            local rest=$COMP_LINE before='' word head='' place current=0
            for ((place = 0; place < ${#COMP_WORDS[@]}; place++)); do
                word=${COMP_WORDS[place]}
                if [[ -n $word && $rest == "$word"* && ( $word == [=:]* || $before == *[=:] ) ]]; then
                    ((place == COMP_CWORD)) && head=${words[-1]}
                    words[-1]+=$word
                else
                    words+=("$word")
                fi
                if ((place == COMP_CWORD)); then
                    current=$((${#words[@]} - 1))
                    if [[ $word == [=:]* ]]; then head+=$word; fi
                fi
                rest=${rest#*"$word"}
                before=$word
            done
            local cur=$2
            if [[ -n $head ]]; then cur=${words[current]//\/}; fi
            local -a COMP_WORDS=("${words[@]}")
            local COMP_CWORD=$current
            _niloctl "$1" "$cur" "$3"
            if [[ -n $head ]]; then COMPREPLY=("${COMPREPLY[@]#"${head//\/}"}"); fi
        }
        complete -o filenames -F _niloctl_whole_words niloctl

        """#
}
