//! How the catalogue writes a task: like the Python function that it stands for.

/// Defines a task of `t.integration.tasks`. The type and the task have the function's name, and its parameters are the
/// fields; with `*arguments` it takes whatever comes.
macro_rules! task {
    (
        $(#[$attribute:meta])*
        $([$options:expr])?
        fn $name:ident($ctx:pat_param, *$arguments:ident) -> $output:ty $body:block
    ) => {
        task! { @type $(#[$attribute])* $name { args: Vec<protocol::Value>, kwargs: protocol::Map } }

        impl worker::Task for $name {
            const NAME: &'static str = task!(@name $name);
            type Output = $output;

            $(task! { @options $options })?

            fn bind(_: &worker::Context, arguments: worker::Arguments) -> Result<Self, worker::Outcome> {
                let worker::Arguments { args, kwargs } = arguments;
                Ok(Self { args, kwargs })
            }

            async fn run(self, $ctx: &worker::Context) -> Result<$output, worker::Outcome> {
                let Self { args, kwargs } = self;
                let $arguments = worker::Arguments { args, kwargs };
                $body
            }
        }
    };
    (
        $(#[$attribute:meta])*
        $([$options:expr])?
        fn $name:ident($ctx:pat_param $(, $(#[$of_field:meta])* $field:ident: $type:ty)*) -> $output:ty $body:block
    ) => {
        task! { @type $(#[$attribute])* $name { $($(#[$of_field])* $field: $type),* } }

        impl worker::Task for $name {
            const NAME: &'static str = task!(@name $name);
            type Output = $output;

            $(task! { @options $options })?

            async fn run(self, $ctx: &worker::Context) -> Result<$output, worker::Outcome> {
                let Self { $($field),* } = self;
                $body
            }
        }
    };
    (@type $(#[$attribute:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty),* }) => {
        $(#[$attribute])*
        #[expect(non_camel_case_types, reason = "the name of the Python function")]
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $($(#[$of_field])* $field: $type),* }
    };
    (@name $name:ident) => {
        concat!("t.integration.tasks.", stringify!($name))
    };
    (@options $options:expr) => {
        fn options() -> worker::TaskOptions {
            $options
        }
    };
}

pub(crate) use task;
