//! `hresolve lab`: the practice machines.

use crate::Outcome;
use crate::cli::{Global, LabCommand};
use crate::output::{self, Failure};
use serde::Serialize;
use session::lab;

#[derive(Serialize)]
struct MachineJson {
    name: String,
    windows: String,
    sick: bool,
}

#[derive(Serialize)]
struct LabJson {
    schema: &'static str,
    machines: Vec<MachineJson>,
}

pub(crate) fn run(command: LabCommand, global: &Global) -> Outcome {
    match command {
        LabCommand::List => {
            let machines: Vec<MachineJson> = lab::machines()
                .into_iter()
                .map(|machine| MachineJson { name: machine.name.into(), windows: machine.windows.into(), sick: machine.sick })
                .collect();
            if global.json {
                output::json_line(&LabJson { schema: "hresolve/lab/1", machines });
            } else {
                for machine in machines {
                    output::text(&format!(
                        "{:<34} Windows {:<12} {}\n",
                        machine.name,
                        machine.windows,
                        if machine.sick { "sick" } else { "healthy" }
                    ));
                }
            }
        }
        LabCommand::Build { name, output: folder } => {
            if !lab::machines().iter().any(|machine| machine.name == name) {
                return Err(Failure::usage(format!("There is no practice machine named {name:?}; `hresolve lab list` lists them.")));
            }
            lab::build(&name, &folder).map_err(|error| Failure { exit: 3, says: error.to_string() })?;
            if global.json {
                output::json_line(&serde_json::json!({ "schema": "hresolve/lab-build/1", "name": name, "folder": folder }));
            } else {
                output::text(&format!("Built {name} in {}\n", folder.display()));
            }
        }
    }
    Ok(0)
}
