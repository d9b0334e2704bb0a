//! The name that the program was started by. kubectl starts a plugin as `kubectl-NAME`, and asks `kubectl_complete-NAME` what comes next.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Command;

/// The name of the program, as people type it.
const NAME: &str = "seldon-tracing";

/// By which name the program was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// By its own name, or any other.
    Itself,
    /// As a plugin of kubectl: `kubectl seldon-tracing`.
    Plugin,
    /// By kubectl, which completes a command of the plugin.
    ToComplete,
}

impl Called {
    /// As the process was started.
    #[must_use]
    pub fn now() -> Self {
        Self::by(&std::env::args_os().next().unwrap_or_default())
    }

    fn by(program: &OsStr) -> Self {
        match Path::new(program).file_name().and_then(OsStr::to_str) {
            // kubectl writes a hyphen in the name of a command as an underscore in the name of the file.
            Some("kubectl-seldon_tracing") => Self::Plugin,
            Some("kubectl_complete-seldon_tracing") => Self::ToComplete,
            _ => Self::Itself,
        }
    }

    /// The definition of the command line, with the name in help, usage, examples and errors.
    pub(super) fn name(self, command: Command) -> Command {
        if self == Self::Itself {
            return command;
        }
        let all = command.clone();
        // kubectl completes its plugins, so a script for a shell is of no use.
        let command = command.mut_subcommand("completions", |script| script.hide(true));
        self.examples(command.bin_name(format!("kubectl {NAME}")), &all)
    }

    fn examples(self, mut command: Command, all: &Command) -> Command {
        if let Some(examples) = command.get_after_help().map(ToString::to_string) {
            command = command.after_help(self.text(&examples, || all.clone()));
        }
        command.mut_subcommands(|subcommand| self.examples(subcommand, all))
    }

    /// A text in which the commands of a definition can be typed as they are.
    pub(super) fn text(self, text: &str, all: impl FnOnce() -> Command) -> String {
        let mut text = text.to_owned();
        if self == Self::Itself {
            return text;
        }
        // Only commands: it is the name of a namespace and of a Service too.
        for name in all().get_subcommands().map(Command::get_name) {
            let command = format!("{NAME} {name}");
            text = text.replace(&command, &format!("kubectl {command}"));
        }
        text
    }

    /// The words of a command, of which kubectl gives those after the name.
    #[must_use]
    pub fn words() -> Vec<OsString> {
        std::iter::once(NAME.into())
            .chain(std::env::args_os().skip(1))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use clap::Command;

    use super::Called;

    #[test]
    fn the_name_of_the_file_tells_who_called() {
        for (program, called) in [
            ("seldon-tracing", Called::Itself),
            ("", Called::Itself),
            ("/usr/bin/st", Called::Itself),
            ("kubectl-seldon_tracing/st", Called::Itself),
            ("kubectl-seldon_tracing", Called::Plugin),
            ("/root/.krew/bin/kubectl-seldon_tracing", Called::Plugin),
            ("/bin/kubectl_complete-seldon_tracing", Called::ToComplete),
        ] {
            assert_eq!(Called::by(OsStr::new(program)), called, "{program}");
        }
    }

    #[test]
    fn commands_get_the_name_and_other_uses_of_the_word_do_not() {
        let text = "kubectl get sdep m -o yaml | seldon-tracing explain\n\
                    kubectl -n seldon-tracing port-forward service/seldon-tracing 8443:443\n\
                    `seldon-tracing check`, --dns seldon-tracing.seldon-tracing.svc";
        let expected = "kubectl get sdep m -o yaml | kubectl seldon-tracing explain\n\
                    kubectl -n seldon-tracing port-forward service/seldon-tracing 8443:443\n\
                    `kubectl seldon-tracing check`, --dns seldon-tracing.seldon-tracing.svc";
        let all = ["explain", "check"].map(Command::new);
        let all = || Command::new("seldon-tracing").subcommands(all.clone());
        assert_eq!(Called::Plugin.text(text, all), expected);
        assert_eq!(Called::Itself.text(text, all), text);
    }
}
