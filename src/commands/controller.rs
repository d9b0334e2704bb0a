//! `controller`.

use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Builder;

use super::exit::Status;
use super::long_running::{ADMIN_PORT, addresses, logged};
use crate::cli::{Controller, Listen};
use crate::cluster::connect::connect;
use crate::controller::{Options, RepairOptions, run};
use crate::pki::lifecycle::Times;
use crate::process::log::LostLines;
use crate::process::signals;

/// `controller`
pub(super) fn controller(arguments: &Controller, colour: bool) -> anyhow::Result<Status> {
    logged(arguments.log, colour, |lost| until_stopped(arguments, lost))
}

fn until_stopped(arguments: &Controller, lost_lines: LostLines) -> anyhow::Result<Status> {
    let options = Options {
        namespace: arguments.connection.tracing_namespace.clone(),
        admin_listen: addresses(
            arguments
                .admin
                .admin_listen
                .unwrap_or(Listen::Port(ADMIN_PORT)),
        ),
        certificates: arguments
            .certificates
            .then(|| times(arguments))
            .transpose()?,
        repair: arguments.repair.then(|| RepairOptions {
            config: arguments.file.config.clone(),
            grace: arguments.repair_grace,
            per_minute: arguments.repairs_per_minute,
        }),
        lost_lines,
    };
    // It waits most of the time, so one thread is enough, and the least memory.
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let stopped = runtime.block_on(async {
        let stop = signals::stop_requests().context("cannot listen to signals")?;
        let connected = connect(&arguments.connection).await?;
        run(connected.client, options, stop)
            .await
            .context("the controller cannot continue")
    });
    // A request in progress has no more effect here, and the next start sees what it did.
    runtime.shutdown_background();
    stopped.map(|()| Status::Done)
}

/// The times of the flags, if they fit together.
fn times(arguments: &Controller) -> anyhow::Result<Times> {
    let of = |duration: Duration, flag: &str| {
        time::Duration::try_from(duration).with_context(|| format!("{flag} is too long"))
    };
    let times = Times {
        leaf: of(arguments.certificate_lifetime, "--certificate-lifetime")?,
        ca: of(arguments.ca_lifetime, "--ca-lifetime")?,
        ca_renewal: of(arguments.ca_renew_before, "--ca-renew-before")?,
        trust: of(arguments.trust_delay, "--trust-delay")?,
        load: of(arguments.load_delay, "--load-delay")?,
    };
    let flags = "--certificate-lifetime, --ca-lifetime, --ca-renew-before, --trust-delay and --load-delay do not fit together";
    times.checked().context(flags)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::times;
    use crate::cli::{Cli, Command, Controller};

    fn controller(flags: &[&str]) -> Controller {
        let command = [&["seldon-tracing", "controller"], flags].concat();
        match Cli::parse_from(command).command {
            Command::Controller(controller) => controller,
            _ => unreachable!(),
        }
    }

    #[test]
    fn the_default_times_fit_together_and_others_are_refused_by_their_flags() {
        assert!(times(&controller(&[])).is_ok());
        assert!(times(&controller(&["--certificate-lifetime=91d"])).is_ok());
        for flag in [
            "--certificate-lifetime=366d",
            "--certificate-lifetime=9m",
            "--ca-lifetime=365d",
            "--load-delay=31d",
            "--ca-lifetime=9999999999y",
        ] {
            let said = format!("{:#}", times(&controller(&[flag])).unwrap_err());
            assert!(said.contains(flag.split('=').next().unwrap()), "{said}");
        }
    }

    #[test]
    fn the_parts_are_on_until_they_are_switched_off() {
        for (flags, on) in [
            (&[][..], true),
            (&["--certificates"], true),
            (&["--certificates=true"], true),
            (&["--certificates=false"], false),
        ] {
            assert_eq!(controller(flags).certificates, on, "{flags:?}");
        }
    }
}
