<?php
/**
 * Everything of ours goes. What is the shop's stays: its webhooks and the API key go on telling Laurel of orders, until
 * somebody disconnects in Laurel or removes them.
 *
 * @package LaurelLoyalty
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

/**
 * Of one site.
 */
function laurel_loyalty_remove_site(): void {
	global $wpdb;
	foreach ( array( 'laurel_loyalty', 'laurel_loyalty_secrets', 'laurel_loyalty_outbox', 'laurel_loyalty_shown', 'laurel_loyalty_schema' ) as $laurel_option ) {
		delete_option( $laurel_option );
	}
	// phpcs:disable WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared, WordPress.DB.DirectDatabaseQuery.SchemaChange -- tables without functions of their own.
	$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}laurel_outbox" );
	// What an export of personal data left half-way.
	$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->options} WHERE option_name LIKE %s OR option_name LIKE %s", $wpdb->esc_like( '_transient_laurel_loyalty_export_' ) . '%', $wpdb->esc_like( '_transient_timeout_laurel_loyalty_export_' ) . '%' ) );
	$actions = $wpdb->prefix . 'actionscheduler_actions';
	if ( $actions === $wpdb->get_var( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $actions ) ) ) ) {
		$ours = "hook IN ('laurel_loyalty_send', 'laurel_loyalty_watch')";
		$wpdb->query( "DELETE FROM {$wpdb->prefix}actionscheduler_logs WHERE action_id IN (SELECT action_id FROM {$actions} WHERE {$ours})" );
		$wpdb->query( "DELETE FROM {$actions} WHERE {$ours}" );
		$wpdb->query( "DELETE FROM {$wpdb->prefix}actionscheduler_groups WHERE slug = 'laurel-loyalty'" );
	}
	// phpcs:enable
}

if ( is_multisite() ) {
	foreach ( get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	) as $laurel_site ) {
		switch_to_blog( (int) $laurel_site );
		laurel_loyalty_remove_site();
		restore_current_blog();
	}
} else {
	laurel_loyalty_remove_site();
}
