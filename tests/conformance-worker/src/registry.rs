//! Which tasks the worker runs.

use worker::Registry;

use crate::tasks::{
    delivery, errbacks, failing, growing, plain, replacing, request, retrying, signatures, traces,
    trees,
};

/// All tasks.
pub(crate) fn registry() -> Registry {
    let registry = with_plain(Registry::new());
    let registry = with_request(registry);
    let registry = with_retrying(registry);
    let registry = with_replacing(registry);
    let registry = with_signatures(registry);
    registry.task::<trees::Leaf>().task::<trees::Note>()
}

fn with_plain(registry: Registry) -> Registry {
    registry
        .task::<plain::identity>()
        .task::<plain::add>()
        .task::<plain::add_not_typed>()
        .task::<plain::add_ignore_result>()
        .task::<plain::add_with_result>()
        .task::<plain::mul>()
        .task::<plain::tsum>()
        .task::<plain::xsum>()
        .task::<plain::delayed_sum>()
        .task::<plain::delayed_sum_with_soft_guard>()
        .task::<plain::sleeping>()
        .task::<plain::return_exception>()
        .task::<plain::replaced_with_me>()
        .task::<plain::add_pydantic>()
        .task::<plain::add_pydantic_string_annotations>()
        .task::<failing::raise_error>()
        .task::<failing::fail>()
        .task::<failing::fail_unpickleable>()
        .task::<traces::redis_echo>()
        .task::<traces::redis_count>()
        .task::<traces::redis_echo_group_id>()
        .task::<traces::sum_and_record>()
        .task::<traces::write_to_file_and_return_int>()
        .task::<traces::print_unicode>()
        .task::<errbacks::errback_old_style>()
        .task::<errbacks::errback_old_style_with_args>()
        .errback::<errbacks::NewStyle>()
        .errback::<errbacks::NewStyleWithArgs>()
}

fn with_request(registry: Registry) -> Registry {
    registry
        .task::<request::ids>()
        .task::<request::collect_ids>()
        .task::<request::return_priority>()
        .task::<request::return_request_eta>()
        .task::<request::return_properties>()
        .task::<request::return_request_time_limits>()
        .task::<request::task_with_declared_time_limits>()
        .task::<delivery::reject_then_succeed>()
        .task::<delivery::reject_without_requeue>()
}

fn with_retrying(registry: Registry) -> Registry {
    registry
        .task::<retrying::retry>()
        .task::<retrying::retry_unpickleable>()
        .task::<retrying::retry_once>()
        .task::<retrying::retry_once_priority>()
        .task::<retrying::retry_once_headers>()
        .task::<retrying::retry_once_ignore_result>()
        .task::<retrying::retry_once_with_result>()
        .task::<retrying::retry_with_args_after_kwargs>()
        .task::<retrying::retry_with_kwargs_after_args>()
        .task::<retrying::AutoRetry>()
}

fn with_replacing(registry: Registry) -> Registry {
    registry
        .task::<replacing::add_replaced>()
        .task::<replacing::add_replaced_with_chain>()
        .task::<replacing::add_to_all>()
        .task::<replacing::fail_replaced>()
        .task::<replacing::replace_with_chain>()
        .task::<replacing::replace_with_chain_which_raises>()
        .task::<replacing::replace_with_empty_chain>()
        .task::<replacing::replace_with_chain_which_contains_a_group>()
        .task::<replacing::record_replaced_task_nesting>()
        .task::<replacing::second_order_replace1>()
        .task::<replacing::second_order_replace2>()
        .task::<replacing::replace_with_stamped_task>()
        .task::<growing::add_to_all_to_chord>()
        .task::<growing::add_chord_to_chord>()
        .task::<growing::build_chain_inside_task>()
}

fn with_signatures(registry: Registry) -> Registry {
    registry
        .task::<signatures::return_nested_signature_chain_chain>()
        .task::<signatures::return_nested_signature_chain_group>()
        .task::<signatures::return_nested_signature_chain_chord>()
        .task::<signatures::return_nested_signature_group_chain>()
        .task::<signatures::return_nested_signature_group_group>()
        .task::<signatures::return_nested_signature_group_chord>()
        .task::<signatures::return_nested_signature_chord_chain>()
        .task::<signatures::return_nested_signature_chord_group>()
        .task::<signatures::return_nested_signature_chord_chord>()
        .task::<signatures::rebuild_signature>()
}
