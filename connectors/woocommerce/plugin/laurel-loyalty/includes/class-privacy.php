<?php
/**
 * WordPress's tools "Export Personal Data" and "Erase Personal Data", for what Laurel keeps.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * Asked on the spot, since an administrator waits for the answer and must hear when there was none.
 */
final class Privacy {

	const GROUP = 'laurel-loyalty';

	/**
	 * Hooks.
	 */
	public static function start(): void {
		add_filter( 'wp_privacy_personal_data_exporters', array( self::class, 'add_exporter' ) );
		add_filter( 'wp_privacy_personal_data_erasers', array( self::class, 'add_eraser' ) );
	}

	/**
	 * WordPress's list of exporters with ours.
	 *
	 * @param array<string, array<string, mixed>> $exporters Of others.
	 * @return array<string, array<string, mixed>>
	 */
	public static function add_exporter( array $exporters ): array {
		$exporters[ self::GROUP ] = array(
			'exporter_friendly_name' => __( 'Points and rewards', 'laurel-loyalty' ),
			'callback'               => array( self::class, 'export' ),
		);
		return $exporters;
	}

	/**
	 * WordPress's list of erasers with ours.
	 *
	 * @param array<string, array<string, mixed>> $erasers Of others.
	 * @return array<string, array<string, mixed>>
	 */
	public static function add_eraser( array $erasers ): array {
		$erasers[ self::GROUP ] = array(
			'eraser_friendly_name' => __( 'Points and rewards', 'laurel-loyalty' ),
			'callback'             => array( self::class, 'erase' ),
		);
		return $erasers;
	}

	/**
	 * What Laurel shows this person: where they stand, then everything that happened, newest first.
	 *
	 * @param string $email Whose.
	 * @param int    $page  From 1; each is one of Laurel's, and the first holds the balance too.
	 * @return array{data: array<int, mixed>, done: bool}|WP_Error
	 */
	public static function export( string $email, int $page = 1 ) {
		$user = get_user_by( 'email', $email );
		if ( ! $user || ! Connection::is_connected() ) {
			return array(
				'data' => array(),
				'done' => true,
			);
		}
		$data = array();
		if ( 1 === $page ) {
			$me = self::ask( 'me', (int) $user->ID, '' );
			if ( is_wp_error( $me ) ) {
				return $me;
			}
			if ( empty( $me['member'] ) ) {
				return array(
					'data' => array(),
					'done' => true,
				);
			}
			$data[] = self::item( 'standing', self::standing( $me['member'] ) );
		}
		// Laurel names the next page by a word of its own; a later request of WordPress's has only the number.
		$kept   = 'laurel_loyalty_export_' . $user->ID;
		$cursor = 1 === $page ? '' : (string) get_transient( $kept );
		$found  = self::ask( 'history', (int) $user->ID, $cursor );
		if ( is_wp_error( $found ) ) {
			return $found;
		}
		foreach ( $found['items'] as $one ) {
			$data[] = self::item(
				(string) $one['id'],
				array(
					__( 'Date', 'laurel-loyalty' )   => (string) $one['at'],
					__( 'What', 'laurel-loyalty' )   => (string) $one['title'],
					__( 'Points', 'laurel-loyalty' ) => (string) $one['points_text'],
					__( 'Why', 'laurel-loyalty' )    => (string) $one['sentence'],
				)
			);
		}
		$next = isset( $found['next'] ) ? (string) $found['next'] : '';
		if ( '' === $next ) {
			delete_transient( $kept );
		} else {
			set_transient( $kept, $next, HOUR_IN_SECONDS );
		}
		return array(
			'data' => $data,
			'done' => '' === $next,
		);
	}

	/**
	 * Laurel forgets this person: what names them goes, the sums stay without a name.
	 *
	 * @param string $email Whose.
	 * @param int    $page  Always 1.
	 * @return array{items_removed: bool, items_retained: bool, messages: array<int, string>, done: bool}
	 */
	public static function erase( string $email, int $page = 1 ): array { // phpcs:ignore Generic.CodeAnalysis.UnusedFunctionParameter -- WordPress hands it over.
		$answer = array(
			'items_removed'  => false,
			'items_retained' => false,
			'messages'       => array(),
			'done'           => true,
		);
		if ( ! Connection::is_connected() ) {
			return $answer;
		}
		$user  = get_user_by( 'email', $email );
		$error = Sender::post(
			'laurel.erasure_requested',
			array(
				'wish'        => 'forget',
				'customer_id' => $user ? (int) $user->ID : null,
				'email'       => $email,
			),
			'laurel-forget-' . wp_generate_uuid4()
		);
		if ( null === $error ) {
			$answer['items_removed'] = true;
			return $answer;
		}
		$answer['items_retained'] = true;
		$answer['messages'][]     = sprintf(
			/* translators: %s: why not, a sentence. */
			__( 'Points and rewards were not erased, because Laurel could not be told: %s Please try again later.', 'laurel-loyalty' ),
			$error->get_error_message()
		);
		return $answer;
	}

	/**
	 * Where somebody stands, in words.
	 *
	 * @param array<string, mixed> $member Of Laurel's answer.
	 * @return array<string, string>
	 */
	private static function standing( array $member ): array {
		$facts = array( __( 'Points', 'laurel-loyalty' ) => (string) $member['balance']['available_text'] );
		if ( ! empty( $member['tier']['name'] ) ) {
			$facts[ __( 'Level', 'laurel-loyalty' ) ] = (string) $member['tier']['name'];
		}
		return $facts;
	}

	/**
	 * One entry of WordPress's export.
	 *
	 * @param string                $ref   Names it among ours.
	 * @param array<string, string> $facts What it says.
	 * @return array<string, mixed>
	 */
	private static function item( string $ref, array $facts ): array {
		$data = array();
		foreach ( $facts as $name => $value ) {
			$data[] = array(
				'name'  => $name,
				'value' => $value,
			);
		}
		return array(
			'group_id'    => self::GROUP,
			'group_label' => __( 'Points and rewards', 'laurel-loyalty' ),
			'item_id'     => self::GROUP . '-' . $ref,
			'data'        => $data,
		);
	}

	/**
	 * Ask Laurel as that customer.
	 *
	 * @param string $what     "me" or "history".
	 * @param int    $customer WordPress's id of the user.
	 * @param string $cursor   Laurel's word for the page; empty for the first.
	 * @return array<string, mixed>|WP_Error
	 */
	private static function ask( string $what, int $customer, string $cursor ) {
		$facts  = Connection::facts();
		$query  = array_filter(
			array(
				'key'    => $facts['shop_key'],
				'cursor' => $cursor,
			)
		);
		$answer = wp_safe_remote_get(
			$facts['server'] . '/storefront/v1/' . $what . '?' . http_build_query( $query ),
			array(
				'timeout'     => Sender::TIMEOUT_S,
				'redirection' => 0,
				'headers'     => array( 'Authorization' => 'Bearer ' . Token::make( $customer, Connection::secret( 'widget' ), time() ) ),
			)
		);
		$status = is_wp_error( $answer ) ? 0 : (int) wp_remote_retrieve_response_code( $answer );
		$told   = 200 === $status ? json_decode( wp_remote_retrieve_body( $answer ), true ) : null;
		if ( ! is_array( $told ) ) {
			return new WP_Error( 'laurel_no_answer', __( 'Laurel did not answer, so the export lacks points and rewards. Please try again later.', 'laurel-loyalty' ) );
		}
		return $told;
	}
}
